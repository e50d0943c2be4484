"""Several trees for a sentence: the k best, by chance, or under dropout.

Cai et al., "Measuring and Reducing Model Update Regression in Structured
Prediction for NLP", NeurIPS 2022, https://arxiv.org/abs/2202.02976.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

import numpy as np
from torch import nn

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import Item, Proposes
from compat_eval.models.narrowing import Narrows, most_probable, nucleus
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


_TOKENS_TOGETHER = 2000
"""Tokens, padding included, that all samples of a batch have at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Several answers under dropout.

    Attributes:
        p: Share that is left out, in [0, 1).
        seeds: One a sample.
        shared_encoder: Whether a sentence is encoded once, without dropout, and
            only what scores its arcs is thinned.

    """

    p: float
    seeds: tuple[int, ...]
    shared_encoder: bool = False

    def __len__(self) -> int:
        return len(self.seeds)

    def groups(self, n_tokens: int) -> Iterator["Samples"]:
        """Yield as many samples as are read at once of a batch of so many tokens."""
        size = max(1, _TOKENS_TOGETHER // max(n_tokens, 1))
        for start in range(0, len(self), size):
            yield replace(self, seeds=self.seeds[start : start + size])

    def switched_on(
        self, network: nn.Module, items: Sequence[EncodedSentence]
    ) -> AbstractContextManager[None]:
        """Switch on dropout for some sentences, once for each sample."""
        sentences = [item.sentence for item in items]
        each = [Dropout(p=self.p, seed=seed).seeds(sentences) for seed in self.seeds]
        return sampled(network, self.p, np.concatenate(each))


class AnswersTrees(Protocol):
    """Knows its best trees."""

    def encode(self, inputs: Sequence[Any]) -> Sequence[Item]:
        """Return one item an input; see `Encodes`."""

    def dropout_trees(
        self, items: Sequence[Item], samples: Samples
    ) -> list[list[Tree]]:
        """Return of each of at least one sentence the answer in each sample."""

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
        shared_encoder: Whether the encoder runs once, without dropout, and only
            the sites behind it leave something out.

    """

    parser: AnswersTrees
    p: float = 0.1
    shared_encoder: bool = False

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
        samples = Samples(
            p=self.p, seeds=tuple(seeds), shared_encoder=self.shared_encoder
        )
        found = self.parser.dropout_trees(items, samples)
        return [[tree.as_answer() for tree in trees] for trees in found]


class DrawsTrees(Protocol):
    """Draws trees by chance."""

    def encode(self, inputs: Sequence[Any]) -> Sequence[Item]:
        """Return one item an input; see `Encodes`."""

    def drawn_trees(
        self, items: Sequence[Item], seeds: Sequence[int], narrow: Narrows
    ) -> list[list[Tree]]:
        """Return a tree of each of at least one sentence for each seed."""


@dataclass(frozen=True, slots=True)
class DrawnCandidates:
    """Trees drawn action by action from the most probable ones.

    Attributes:
        parser: Whose trees.
        narrow: Which actions and relations may be drawn.

    """

    parser: DrawsTrees
    narrow: Narrows

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
        found = self.parser.drawn_trees(items, seeds, self.narrow)
        return [[tree.as_answer() for tree in trees] for trees in found]


def top_k(parser: DrawsTrees, top: int = 5) -> DrawnCandidates:
    """Draw each action from the `top` most probable ones.

    Raises:
        UsageError: `top` is less than 1.

    """
    return DrawnCandidates(parser, most_probable(top))


def top_p(parser: DrawsTrees, p: float = 0.95) -> DrawnCandidates:
    """Draw each action from the fewest that have probability `p` together.

    Raises:
        UsageError: `p` is not in (0, 1].

    """
    return DrawnCandidates(parser, nucleus(p))


Makes: TypeAlias = Callable[..., Proposes]
"""Makes candidates of a parser: `make(parser, **options)`."""


def candidates(
    parser: object,
    generator: str,
    options: Mapping[str, Any],
    known: Mapping[str, Makes],
) -> Proposes:
    """Return what makes candidates in a named way.

    Args:
        parser: Whose candidates.
        generator: A name in `known`.
        options: Of the generator.
        known: The ways that the parser has.

    Raises:
        UsageError: The generator or an option is unknown or out of range.

    """
    if generator not in known:
        raise UsageError(
            f"the parser has no generator {generator!r}; there are {', '.join(known)}"
        )
    try:
        return known[generator](parser, **options)
    except TypeError as error:
        raise UsageError(f"generator {generator}: {error}") from error
