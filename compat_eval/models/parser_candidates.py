"""Several trees for a sentence: the k best, or the answers under dropout.

Cai et al., "Measuring and Reducing Model Update Regression in Structured
Prediction for NLP", NeurIPS 2022, https://arxiv.org/abs/2202.02976.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from torch import nn

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import Item, Proposes
from compat_eval.models.parser_dropout import sampled
from compat_eval.models.parser_sentence import Sentence, Tree
from compat_eval.models.parser_vocabulary import EncodedSentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropout:
    """Dropout at the time of answering.

    Attributes:
        p: Share that is left out, in [0, 1).
        seed: Of this sample; the words of a sentence decide the rest, so that
            neighbours in its batch do not.

    """

    p: float
    seed: int

    def seeds(self, sentences: Sequence[Sentence]) -> Ints:
        """Return a seed for each sentence; shape (n_sentences,)."""
        words = [zlib.crc32("\n".join(s.words).encode()) for s in sentences]
        return np.array(words, np.int64) * 2**31 + self.seed


def sampling(
    network: nn.Module, items: Sequence[EncodedSentence], dropout: Dropout | None
) -> AbstractContextManager[None]:
    """Switch on dropout for some sentences, if there is to be any."""
    if dropout is None:
        return nullcontext()
    seeds = dropout.seeds([item.sentence for item in items])
    return sampled(network, dropout.p, seeds)


class AnswersTrees(Protocol):
    """Knows its best trees."""

    def encode(self, inputs: Sequence[Any]) -> Sequence[Item]:
        """Return one item an input; see `Encodes`."""

    def best_trees(
        self, items: Sequence[Item], dropout: Dropout | None = None
    ) -> list[Tree]:
        """Return the answer to each of at least one sentence."""

    def k_best_trees(self, items: Sequence[Item], k: int) -> list[list[Tree]]:
        """Return up to `k` trees of each of at least one sentence, the best first."""


@dataclass(frozen=True, slots=True)
class KBestCandidates:
    """The parser's k best trees, the best first.

    Where it knows fewer, the best one fills up.
    """

    parser: AnswersTrees

    def encode(self, inputs: Sequence[Any]) -> Sequence[Item]:
        """Return the parser's items."""
        return self.parser.encode(inputs)

    def propose(
        self, items: Sequence[Item], *, k: int, rng: np.random.Generator
    ) -> list[list[dict[str, Any]]]:
        """Return `k` candidates for each sentence; nothing here is random."""
        if not items:
            return []
        found = self.parser.k_best_trees(items, k)
        return [
            [tree.as_answer() for tree in [*trees, *trees[:1] * (k - len(trees))]]
            for trees in found
        ]


@dataclass(frozen=True, slots=True)
class DropoutCandidates:
    """The parser's usual answers while dropout is on, one seed a candidate.

    The answer without dropout is not among them.

    Attributes:
        parser: Whose answers they are.
        p: Rate of dropout at all its sites, in [0, 1).

    """

    parser: AnswersTrees
    p: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.p < 1:
            raise UsageError(f"dropout-p: p must be in [0, 1), got {self.p}")

    def encode(self, inputs: Sequence[Any]) -> Sequence[Item]:
        """Return the parser's items."""
        return self.parser.encode(inputs)

    def propose(
        self, items: Sequence[Item], *, k: int, rng: np.random.Generator
    ) -> list[list[dict[str, Any]]]:
        """Return `k` candidates for each sentence, in the order of the seeds."""
        if not items:
            return []
        seeds = rng.integers(2**31, size=k).tolist()
        samples = [
            self.parser.best_trees(items, Dropout(p=self.p, seed=seed))
            for seed in seeds
        ]
        return [
            [tree.as_answer() for tree in trees] for trees in zip(*samples, strict=True)
        ]


def candidates(
    parser: AnswersTrees, generator: str, options: Mapping[str, Any], *, best: str
) -> Proposes:
    """Return what makes candidates in a named way.

    Args:
        parser: Whose candidates.
        generator: `dropout-p`, or how the parser calls its best trees.
        options: Of the generator.
        best: That name: `k-best` where the best are exact, `beam` elsewhere.

    Raises:
        UsageError: The generator or an option is unknown or out of range.

    """
    known: dict[str, Callable[..., Proposes]] = {
        best: KBestCandidates,
        "dropout-p": DropoutCandidates,
    }
    if generator not in known:
        raise UsageError(
            f"the parser has no generator {generator!r}; there are {', '.join(known)}"
        )
    try:
        return known[generator](parser, **options)
    except TypeError as error:
        raise UsageError(f"generator {generator}: {error}") from error
