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


@pytest.fixture
def gpt_factory(tmp_path: Path) -> Callable[..., Path]:
    """Save a random decoder with a classification head, and its tokenizer."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")

    def make(padding: int | None, of_tokenizer: str | None, side: str) -> Path:
        import torch
        from tokenizers import Tokenizer, models, pre_tokenizers
        from transformers import (
            GPT2Config,
            GPT2ForSequenceClassification,
            PreTrainedTokenizerFast,
        )

        names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS]
        vocabulary = {name: number for number, name in enumerate(names)}
        words = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
        words.pre_tokenizer = pre_tokenizers.Whitespace()
        of_transformers: Any = PreTrainedTokenizerFast
        of_transformers(
            tokenizer_object=words,
            pad_token=of_tokenizer,
            padding_side=side,
            model_max_length=16,
            model_input_names=["input_ids", "attention_mask"],
        ).save_pretrained(tmp_path)
        settings: dict[str, Any] = {
            "n_embd": 16,
            "n_layer": 1,
            "n_head": 2,
            "n_positions": 16,
        }
        torch.manual_seed(0)
        config = GPT2Config(
            **settings,
            vocab_size=len(names),
            initializer_range=0.8,
            id2label=dict(enumerate(LABELS)),
            label2id={label: number for number, label in enumerate(LABELS)},
            bos_token_id=2,
            eos_token_id=3,
            pad_token_id=padding,
        )
        GPT2ForSequenceClassification(config).save_pretrained(tmp_path)
        return tmp_path

    return make


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


@pytest.fixture(scope="session")
def causal_factory(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Save a random causal language model with 16 positions, and its tokenizer."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")

    def make(*, seed: int = 0) -> Path:
        import torch
        from tokenizers import Tokenizer, models, pre_tokenizers
        from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

        directory = tmp_path_factory.mktemp("causal")
        names = ["[UNK]", "[BOS]", *WORDS]
        vocabulary = {name: number for number, name in enumerate(names)}
        words = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
        words.pre_tokenizer = pre_tokenizers.Whitespace()
        of_transformers: Any = PreTrainedTokenizerFast
        of_transformers(
            tokenizer_object=words,
            bos_token="[BOS]",
            model_max_length=16,
        ).save_pretrained(directory)
        torch.manual_seed(seed)
        settings: dict[str, Any] = {"n_embd": 16, "n_layer": 2, "n_head": 2}
        config = GPT2Config(
            **settings,
            n_positions=16,
            vocab_size=len(names),
            initializer_range=0.5,
            bos_token_id=1,
            eos_token_id=1,
        )
        GPT2LMHeadModel(config).save_pretrained(directory)
        return directory

    return make
