"""Several trees for an utterance: from a beam, by chance, or under dropout.

Cai et al., "Measuring and Reducing Model Update Regression in Structured
Prediction for NLP", NeurIPS 2022, https://arxiv.org/abs/2202.02976 (Table 5).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import Item, Proposes
from compat_eval.models.narrowing import Narrows, drawn, most_probable, nucleus
from compat_eval.models.parser_candidates import Dropout
from compat_eval.models.parser_dropout import uniform
from compat_eval.models.tree_seq2seq_search import Chooses, Chosen


class AnswersTexts(Protocol):
    """Knows several ways to write a tree; each takes at least one utterance."""

    def encode(self, inputs: Sequence[Any]) -> Sequence[Item]:
        """Return one item an input; see `Encodes`."""

    def best_texts(
        self, items: Sequence[Item], dropout: Dropout | None = None
    ) -> list[str]:
        """Return the answer to each."""

    def beam_texts(self, items: Sequence[Item], beam: int) -> list[list[str]]:
        """Return what a beam ends with for each, the best first."""

    def drawn_texts(
        self, items: Sequence[Item], seeds: Sequence[int], narrow: Narrows
    ) -> list[list[str]]:
        """Return a tree for each seed, drawn token by token."""


@dataclass(frozen=True, slots=True)
class BeamCandidates:
    """The trees that a beam ends with, the best first; the best one fills up.

    Attributes:
        model: Whose trees.
        b: Width of the beam; by default as many as candidates are asked for.

    """

    model: AnswersTexts
    b: int | None = None

    def __post_init__(self) -> None:
        if self.b is not None and self.b < 1:
            raise UsageError(f"beam: b must be at least 1, got {self.b}")

    def encode(self, inputs: Sequence[Any]) -> Sequence[Item]:
        """Return the model's items."""
        return self.model.encode(inputs)

    def propose(
        self, items: Sequence[Item], *, k: int, rng: np.random.Generator
    ) -> list[list[str]]:
        """Return `k` candidates for each utterance; nothing here is random."""
        if not items:
            return []
        found = self.model.beam_texts(items, self.b or k)
        return [[*of_one, *of_one[:1] * (k - len(of_one))][:k] for of_one in found]


@dataclass(frozen=True, slots=True)
class DrawnCandidates:
    """Trees drawn token by token from the most probable tokens.

    Attributes:
        model: Whose trees.
        narrow: Which tokens may be drawn.

    """

    model: AnswersTexts
    narrow: Narrows

    def encode(self, inputs: Sequence[Any]) -> Sequence[Item]:
        """Return the model's items."""
        return self.model.encode(inputs)

    def propose(
        self, items: Sequence[Item], *, k: int, rng: np.random.Generator
    ) -> list[list[str]]:
        """Return `k` candidates for each utterance, in the order of the seeds."""
        if not items:
            return []
        seeds = rng.integers(2**31, size=k).tolist()
        return self.model.drawn_texts(items, seeds, self.narrow)


@dataclass(frozen=True, slots=True)
class DropoutTexts:
    """The model's usual answers while dropout is on, one seed a candidate.

    One seed thins the encoder and the decoder of an utterance once, for all its
    tokens. The answer without dropout is not among the candidates.

    Attributes:
        model: Whose answers they are.
        p: Rate of dropout at all its sites, in [0, 1).

    """

    model: AnswersTexts
    p: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.p < 1:
            raise UsageError(f"dropout-p: p must be in [0, 1), got {self.p}")

    def encode(self, inputs: Sequence[Any]) -> Sequence[Item]:
        """Return the model's items."""
        return self.model.encode(inputs)

    def propose(
        self, items: Sequence[Item], *, k: int, rng: np.random.Generator
    ) -> list[list[str]]:
        """Return `k` candidates for each utterance, in the order of the seeds."""
        if not items:
            return []
        samples = [
            self.model.best_texts(items, Dropout(p=self.p, seed=seed))
            for seed in rng.integers(2**31, size=k).tolist()
        ]
        return [list(texts) for texts in zip(*samples, strict=True)]


def top_k(model: AnswersTexts, top: int = 5) -> DrawnCandidates:
    """Draw each token from the `top` most probable ones.

    Raises:
        UsageError: `top` is less than 1.

    """
    return DrawnCandidates(model, most_probable(top))


def top_p(model: AnswersTexts, p: float = 0.95) -> DrawnCandidates:
    """Draw each token from the fewest that have probability `p` together.

    Raises:
        UsageError: `p` is not in (0, 1].

    """
    return DrawnCandidates(model, nucleus(p))


def drawing(seeds: Ints, narrow: Narrows) -> Chooses:
    """Return what goes on with every tree by itself, by chance.

    Args:
        seeds: Of each tree, shape (n_utterances, beam).
        narrow: Which tokens may be drawn.

    """

    def choose(before: Tensor, nats: Tensor, step: int) -> Chosen:
        numbers = uniform(seeds.reshape(-1), step + 1)[:, -1].reshape(seeds.shape)
        token = drawn(narrow(nats), torch.from_numpy(numbers))
        found = nats.gather(-1, token.unsqueeze(-1)).squeeze(-1)
        origin = torch.arange(seeds.shape[1], device=nats.device)
        return origin.expand_as(token), token, before + found

    return choose


GENERATORS: Mapping[str, Callable[..., Proposes]] = {
    "beam": BeamCandidates,
    "top-k": top_k,
    "top-p": top_p,
    "dropout-p": DropoutTexts,
}
"""How candidates are made, by name; each is `make(model, **options)`."""


def text_candidates(
    model: AnswersTexts, generator: str, options: Mapping[str, Any]
) -> Proposes:
    """Return what makes candidates in a named way.

    Args:
        model: Whose candidates.
        generator: A name in `GENERATORS`.
        options: Of the generator.

    Raises:
        UsageError: The generator or an option is unknown or out of range.

    """
    if generator not in GENERATORS:
        raise UsageError(
            f"the model has no generator {generator!r}; there are "
            f"{', '.join(GENERATORS)}"
        )
    try:
        return GENERATORS[generator](model, **options)
    except TypeError as error:
        raise UsageError(f"generator {generator}: {error}") from error
