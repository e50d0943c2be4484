"""An n-gram model of bytes, characters, words or merged pairs: the baseline.

It reads a whole document, however long, and sees `order − 1` tokens before each.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import Field
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from compat_eval.core.arrays import Ints, Values
from compat_eval.core.errors import CapabilityError, DataError, ModelError
from compat_eval.core.examples import Examples
from compat_eval.core.files import read_json, write_whole
from compat_eval.core.progress import Progress
from compat_eval.core.token_scores import TokenScores
from compat_eval.models.language_models.kneser_ney import KneserNey, kneser_ney
from compat_eval.models.language_models.likelihood import (
    EncodedDocument,
    encoded_documents,
)
from compat_eval.models.language_models.tokens import (
    BEGIN,
    TokenKind,
    read_tokenizer,
    token_ids,
    trained_tokenizer,
    write_tokenizer,
)
from compat_eval.models.language_models.training import texts_of
from compat_eval.models.training.train import Settings, Trainer

_NUMBERS = 1 << 21
"""How many probabilities there are at most at any time: 16 MiB."""


class NgramSettings(Settings):
    """Settings of `--model n-gram`."""

    tokens: TokenKind = "bpe"
    """What texts are cut into: byte, char, word or bpe."""
    vocabulary: int = Field(default=2000, ge=3)
    """Most tokens, of char, word and bpe."""
    min_count: int = Field(default=2, ge=1)
    """How often a token must occur, or a pair of bytes that is merged."""
    order: int = Field(default=3, ge=1, le=10)
    """How many tokens the longest n-grams have."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the examples that a training reads."""
        return ("input",)


@dataclass(frozen=True, slots=True, kw_only=True)
class NgramModel:
    """Tells how probable documents are.

    Attributes:
        smoothed: Probabilities of the next token.
        tokenizer: Cuts texts into its tokens.

    """

    smoothed: KneserNey
    tokenizer: Tokenizer

    def encode(self, inputs: Sequence[Any]) -> list[EncodedDocument]:
        """Return one item an input; `len(item)` is its length in tokens."""
        begin = self.tokenizer.token_to_id(BEGIN)
        return encoded_documents(inputs, self._tokens, begin)

    def _tokens(self, texts: list[str]) -> list[list[int]]:
        return token_ids(self.tokenizer, texts)

    def predict(self, items: Sequence[EncodedDocument]) -> pa.Table:
        """Refuse: a language model says how probable documents are.

        Raises:
            CapabilityError: Always.

        """
        raise CapabilityError(
            "an n-gram model answers no questions, it says how probable documents "
            "are; compare it on a suite whose task is language_modeling"
        )

    def token_scores(self, items: Sequence[EncodedDocument]) -> TokenScores:
        """Return how well each token of some documents is predicted."""
        found = [self._scores(np.array(item.ids, np.int64)) for item in items]
        sizes = [len(log_p) for log_p, _, _ in found]
        none = (np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64))
        log_p, ranks, top = map(np.concatenate, zip(none, *found, strict=True))
        return TokenScores(
            log_p=log_p,
            ranks=ranks,
            top=top,
            offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            is_text=np.array([item.is_text for item in items], np.bool_),
        )

    def _scores(self, ids: Ints) -> tuple[Values, Ints, Ints]:
        """Return log p, rank and the top token at all places but the first."""
        n = len(ids) - 1
        log_p, ranks, top = np.empty(n), np.empty(n, np.int64), np.empty(n, np.int64)
        histories, numbers = self.smoothed.histories(ids), np.arange(len(ids))
        step = max(_NUMBERS // self.smoothed.n_tokens, 1)
        for at in range(0, n, step):
            part, goals = slice(at, min(at + step, n)), ids[at + 1 : at + step + 1]
            p = self.smoothed.probabilities(histories[:, part])
            own = p[numbers[: len(goals)], goals][:, None]
            log_p[part] = np.log(own[:, 0])
            ranks[part] = (p >= own).sum(axis=1)
            top[part] = p.argmax(axis=1)
        return log_p, ranks, top


def _train(
    examples: Examples,
    dev: Examples | None,
    settings: NgramSettings,
    *,
    seed: int,  # noqa: ARG001 - nothing is random
    out: Path,
    progress: Progress,
) -> list[dict[str, Any]]:
    texts = texts_of(examples)
    progress.start("n-grams", total=len(texts))
    tokenizer = trained_tokenizer(
        settings.tokens, texts, size=settings.vocabulary, min_count=settings.min_count
    )
    begin, n_tokens = tokenizer.token_to_id(BEGIN), tokenizer.get_vocab_size()
    ids = [np.array([begin, *one]) for one in token_ids(tokenizer, texts)]
    if all(len(one) == 1 for one in ids):
        raise DataError("the texts to learn from hold no token")
    smoothed = kneser_ney(ids, order=settings.order, n_tokens=n_tokens)
    progress.advance(len(texts))
    progress.stop()
    model = NgramModel(smoothed=smoothed, tokenizer=tokenizer)
    _write(model, out)
    return [{"dev_accuracy": None if dev is None else _inverse_perplexity(model, dev)}]


train = Trainer(settings=NgramSettings, run=_train)
"""Trains `--model n-gram`."""


def _inverse_perplexity(model: NgramModel, dev: Examples) -> float | None:
    """Return the geometric mean of what tokens got; `None` without tokens."""
    found = model.token_scores(model.encode(texts_of(dev))).log_p
    return float(np.exp(found.mean())) if len(found) else None


def _write(model: NgramModel, out: Path) -> None:
    write_tokenizer(model.tokenizer, out)
    save_file(model.smoothed.arrays(), out / "model.safetensors")
    config = {
        "compat_eval": {"kind": "n-gram", "schema_version": 1},
        "labels": [],
        "order": len(model.smoothed.orders) + 1,
    }
    write_whole(
        out / "config.json",
        f"{json.dumps(config, indent=1, sort_keys=True)}\n".encode(),
    )


def load(
    directory: Path,
    *,
    labels: tuple[str, ...],  # noqa: ARG001 - it has none
    device: str,  # noqa: ARG001 - processors only
) -> NgramModel:
    """Read what a training wrote.

    Raises:
        ModelError: The counts do not fit the tokenizer, or that is damaged.

    """
    config, tokenizer = read_json(directory / "config.json"), read_tokenizer(directory)
    arrays = load_file(directory / "model.safetensors")
    smoothed = KneserNey.of_arrays(arrays, int(config["order"]))
    if smoothed.n_tokens != tokenizer.get_vocab_size():
        raise ModelError(
            f"{directory}: the tokenizer knows {tokenizer.get_vocab_size()} tokens and "
            f"the counts {smoothed.n_tokens}; train the model again"
        )
    return NgramModel(smoothed=smoothed, tokenizer=tokenizer)
