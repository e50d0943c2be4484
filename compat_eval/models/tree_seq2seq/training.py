"""How the tree seq2seq model is trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from compat_eval.core.arrays import Ints
from compat_eval.core.examples import Examples
from compat_eval.models.parsing.batching import packed
from compat_eval.models.parsing.vocabulary import Vocabulary
from compat_eval.models.training.loop import by_length, fit, seeded
from compat_eval.models.training.train import CHECKPOINT, Progress, settings_from
from compat_eval.models.tree_seq2seq.actions import Derivations
from compat_eval.models.tree_seq2seq.data import Parsed, Written
from compat_eval.models.tree_seq2seq.network import TreeSeq2Seq
from compat_eval.models.tree_seq2seq.parser import TreeNetwork
from compat_eval.models.tree_seq2seq.reading import (
    EncodedUtterance,
    Reader,
    ReadsByBlanks,
    WordEncoder,
    is_by_blanks,
)
from compat_eval.models.tree_seq2seq.saving import save_model
from compat_eval.models.tree_seq2seq.settings import TreeSeq2SeqSettings

_DEV_TOKENS = 4000


def train(
    examples: Examples,
    dev: Examples | None,
    *,
    seed: int,
    out: Path,
    config: Mapping[str, Any],
    progress: Progress,
) -> list[dict[str, Any]]:
    """Train; see `compat_eval.models.training.train.Trainer`.

    Raises:
        DataError: A gold answer is no tree, or none can be written.

    """
    settings = settings_from(TreeSeq2SeqSettings, config)
    parsed = Parsed.of(examples, by_blanks=settings.words == "blanks")
    model = seeded_model(settings, parsed, seed)
    train_set = Written.of(parsed, model.reader, model.labels)
    if train_set.n_left_out:
        progress.note(
            f"{train_set.n_left_out} of {len(examples)} training examples left out: "
            "their trees do not hold the words of their utterances (setting `words`)"
        )
    learner = Learner(
        model=model,
        encoder_scale=1.0 if settings.encoder is None else settings.encoder_scale,
        train=train_set,
        dev=None if dev is None else Questions.of(dev, model.reader),
    )
    history = fit(
        learner,
        settings,
        optimizer=torch.optim.AdamW(
            learner.groups(), weight_decay=settings.weight_decay, fused=True
        ),
        batches=by_length(learner.lengths, settings.batch_size),
        seed=seed,
        checkpoint=out / CHECKPOINT,
        progress=progress,
    )
    save_model(model, out)
    return history


def seeded_model(
    settings: TreeSeq2SeqSettings, parsed: Parsed, seed: int
) -> TreeSeq2Seq:
    """Return a model as it is before training."""
    if settings.encoder is None:
        vocabulary = vocabulary_of(parsed, min_count=settings.min_count)
        sizes = settings.encoder_sizes(vocabulary)
        network = seeded(
            lambda: TreeNetwork(
                WordEncoder(sizes),
                settings.decoder_sizes(2 * sizes.hidden),
                parsed.labels,
            ),
            seed,
        )
        return TreeSeq2Seq(network=network, reader=_reader(vocabulary, settings))
    from compat_eval.models.tree_seq2seq.pretrained import pretrained  # noqa: PLC0415

    encoder, reader = pretrained(settings.encoder.expanduser())
    decoder = settings.decoder_sizes(encoder.width)
    network = seeded(lambda: TreeNetwork(encoder, decoder, parsed.labels), seed)
    return TreeSeq2Seq(network=network, reader=_reader(reader, settings))


def _reader(numbers: Reader, settings: TreeSeq2SeqSettings) -> Reader:
    return ReadsByBlanks(numbers) if settings.words == "blanks" else numbers


def vocabulary_of(parsed: Parsed, *, min_count: int) -> Vocabulary:
    """Collect words, characters, shapes and labels."""
    found = Vocabulary.of(parsed.sentences, [], min_count=min_count)
    return Vocabulary.from_config({**found.config(), "labels": parsed.labels})


@dataclass(frozen=True, slots=True)
class Questions:
    """Utterances of dev with the answers that are right."""

    items: list[EncodedUtterance]
    gold: list[str]

    @classmethod
    def of(cls, examples: Examples, reader: Reader) -> "Questions":
        """Read examples."""
        parsed = Parsed.of(examples, by_blanks=is_by_blanks(reader))
        return cls([reader.encode(one) for one in parsed.sentences], parsed.gold)


@dataclass(frozen=True, slots=True)
class Learner:
    """What `torch_fit` trains."""

    model: TreeSeq2Seq
    encoder_scale: float
    train: Written
    dev: Questions | None
    score: str = "exact match"

    @property
    def network(self) -> TreeNetwork:
        """The network."""
        return self.model.network

    def groups(self) -> list[dict[str, Any]]:
        """Return the parameters of the encoder and all others."""
        named = list(self.network.named_parameters())
        encoder = [weight for name, weight in named if name.startswith("encoder.")]
        others = [weight for name, weight in named if not name.startswith("encoder.")]
        return [
            {"params": encoder, "scale": self.encoder_scale},
            {"params": others, "scale": 1.0},
        ]

    @property
    def lengths(self) -> Ints:
        """Tokens of each training tree."""
        return self.train.lengths

    def loss(self, rows: Sequence[int]) -> Tensor:
        """Return mean nats for a token of some trees."""
        trees = Derivations.of(
            [self.train.derivations[row] for row in rows], self.network.device
        )
        memory = self.network.encode([self.train.items[row] for row in rows])
        nats = self.network.step_nats(memory, trees)
        return -nats.sum() / trees.is_real.sum()

    def dev_accuracy(self) -> float | None:
        """Return the share of dev utterances whose whole tree is right."""
        if self.dev is None:
            return None
        right = 0
        lengths = np.array([len(item) for item in self.dev.items], np.int64)
        for rows in packed(lengths, _DEV_TOKENS):
            texts = self.model.best_texts([self.dev.items[row] for row in rows])
            gold = [self.dev.gold[row] for row in rows]
            right += sum(said == meant for said, meant in zip(texts, gold, strict=True))
        return right / len(self.dev.items)
