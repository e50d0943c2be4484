"""Several trees for a sentence: the k best, or the answers under dropout.

Cai et al., "Measuring and Reducing Model Update Regression in Structured
Prediction for NLP", NeurIPS 2022, https://arxiv.org/abs/2202.02976.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import Item, Proposes
from compat_eval.models.parser_arcs import LabelledArcs
from compat_eval.models.parser_sentence import Sentence


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


class ArcFactored(Protocol):
    """Knows a score for every labelled arc."""

    def encode(self, inputs: Sequence[Any]) -> Sequence[Item]:
        """Return one item an input; see `Encodes`."""

    def labelled_arcs(
        self, items: Sequence[Item], dropout: Dropout | None = None
    ) -> LabelledArcs:
        """Return log p of every labelled arc of at least one sentence."""


@dataclass(frozen=True, slots=True)
class KBestCandidates:
    """The k most probable labelled trees, each once, the best first.

    A sentence that has fewer trees is filled up with its best one.
    """

    parser: ArcFactored

    def encode(self, inputs: Sequence[Any]) -> Sequence[Item]:
        """Return the parser's items."""
        return self.parser.encode(inputs)

    def propose(
        self, items: Sequence[Item], *, k: int, rng: np.random.Generator
    ) -> list[list[dict[str, Any]]]:
        """Return `k` candidates for each sentence; nothing here is random."""
        if not items:
            return []
        found = self.parser.labelled_arcs(items).k_best(k)
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

    parser: ArcFactored
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
            self.parser.labelled_arcs(items, Dropout(p=self.p, seed=seed)).best()
            for seed in seeds
        ]
        return [
            [tree.as_answer() for tree in trees] for trees in zip(*samples, strict=True)
        ]


def candidates(
    parser: ArcFactored, generator: str, options: Mapping[str, Any]
) -> Proposes:
    """Return what makes candidates in a named way.

    Raises:
        UsageError: The generator or an option is unknown or out of range.

    """
    known: dict[str, Callable[..., Proposes]] = {
        "k-best": KBestCandidates,
        "dropout-p": DropoutCandidates,
    }
    if generator not in known:
        raise UsageError(
            f"a parser has no generator {generator!r}; there are {', '.join(known)}"
        )
    try:
        return known[generator](parser, **options)
    except TypeError as error:
        raise UsageError(f"generator {generator}: {error}") from error
