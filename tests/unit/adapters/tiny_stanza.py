"""Stanza's own parser, tiny, trained here on a few sentences."""

import random
from pathlib import Path
from typing import Any

from tests.unit.adapters.treebank import sentences

SETTINGS: dict[str, Any] = {
    "hidden_dim": 16,
    "deep_biaff_hidden_dim": 16,
    "word_emb_dim": 8,
    "char_emb_dim": 4,
    "char_hidden_dim": 8,
    "tag_emb_dim": 8,
    "transformed_dim": 8,
    "num_layers": 1,
    "lr": 0.02,
}


def save_parser(directory: Path, *, seed: int = 0, steps: int = 20) -> Path:
    """Train a parser for some steps; return its file, word vectors beside it."""
    import torch
    from stanza.models.common.doc import Document
    from stanza.models.common.pretrain import Pretrain
    from stanza.models.depparse.data import DataLoader
    from stanza.models.depparse.trainer import GraphTrainer
    from stanza.models.parser import build_argparse

    directory.mkdir(parents=True, exist_ok=True)
    random.seed(seed)
    torch.manual_seed(seed)
    vectors = Pretrain(str(directory / "tiny.pretrain.pt"), _vectors(directory))
    vectors.load()
    args = vars(build_argparse().parse_args([]))
    args |= {**SETTINGS, "shorthand": "en_tiny", "lang": "en", "word_cutoff": 0}
    args |= {"optim": "adam", "dropout": 0.0, "word_dropout": 0.0}
    args |= {"augment_nopunct": 0.0}
    batches = DataLoader(Document(_words()), 500, args, vectors, evaluation=False)
    trainer = GraphTrainer(
        args=args, vocab=batches.vocab, pretrain=vectors, device="cpu"
    )
    [batch] = list(batches)
    for _ in range(steps):
        trainer.update(batch)
    path = directory / "tiny_parser.pt"
    trainer.save(str(path))
    return path


def _vectors(directory: Path) -> str:
    """Write made-up word vectors in the text form that Stanza reads."""
    forms = sorted({form for words in sentences() for form, *_ in words})
    rows = [f"{form} {at % 3} {at % 5} 1 -1" for at, form in enumerate(forms)]
    path = directory / "vectors.txt"
    path.write_text("\n".join([f"{len(rows)} 4", *rows]) + "\n")
    return str(path)


def _words() -> list[list[dict[str, Any]]]:
    return [
        [
            {
                "id": at,
                "text": form,
                "lemma": form,
                "upos": tag,
                "xpos": tag,
                "head": int(head),
                "deprel": relation,
            }
            for at, (form, tag, head, relation) in enumerate(words, start=1)
        ]
        for words in sentences()
    ]
