"""Tiny models, made here: nothing is downloaded."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.adapters import tiny_spacy, tiny_stanza

WORDS = [
    "please",
    "play",
    "some",
    "rock",
    "music",
    "book",
    "a",
    "table",
    "for",
    "two",
    "what",
    "is",
    "the",
    "weather",
]
LABELS = ("book", "play", "weather")


@pytest.fixture(scope="session")
def bert_factory(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Save a random BERT classifier; the same seed gives the same weights."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")

    def make(labels: tuple[str, ...] = LABELS, *, seed: int = 1, **config: Any) -> Path:
        import torch
        from transformers import (
            BertConfig,
            BertForSequenceClassification,
            BertTokenizer,
        )

        directory = tmp_path_factory.mktemp("bert")
        vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted({*WORDS})]
        vocab = {word: number for number, word in enumerate(vocabulary)}
        tokenizer = BertTokenizer(vocab=vocab, model_max_length=16)
        tokenizer.save_pretrained(directory)
        settings = {
            "vocab_size": len(vocabulary),
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 37,
            "max_position_embeddings": 16,
            "initializer_range": 0.5,
            "id2label": dict(enumerate(labels)),
            "label2id": {label: number for number, label in enumerate(labels)},
        }
        torch.manual_seed(seed)
        network = BertForSequenceClassification(BertConfig(**{**settings, **config}))
        network.save_pretrained(directory)
        return directory

    return make


@pytest.fixture(scope="session")
def bert(bert_factory: Callable[..., Path]) -> Path:
    """A random BERT classifier with the labels `LABELS`; do not change it."""
    return bert_factory()


@pytest.fixture(scope="session")
def spacy_parser(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a pipeline trained by spaCy; do not change it."""
    pytest.importorskip("spacy")
    return tiny_spacy.save_pipeline(tmp_path_factory.mktemp("spacy") / "model")


@pytest.fixture(scope="session")
def stanza_parser(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a parser trained by Stanza; do not change it."""
    pytest.importorskip("stanza")
    return tiny_stanza.save_parser(tmp_path_factory.mktemp("stanza")).parent


@pytest.fixture
def edit_config() -> Callable[..., None]:
    """Change or (with `None`) remove keys of a config.json."""

    def edit(directory: Path, **changes: Any) -> None:
        path = directory / "config.json"
        config = {**json.loads(path.read_text()), **changes}
        kept = {key: value for key, value in config.items() if value is not None}
        path.write_text(json.dumps(kept))

    return edit
