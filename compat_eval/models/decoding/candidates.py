"""Several answers to an input: the best, random draws, or under dropout.

Cai et al., "Measuring and Reducing Model Update Regression in Structured
Prediction for NLP", NeurIPS 2022, https://arxiv.org/abs/2202.02976 (Table 5).
Top-p: Holtzman et al., "The Curious Case of Neural Text Degeneration", ICLR 2020,
https://arxiv.org/abs/1904.09751.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any, Protocol, TypeAlias

import numpy as np
import torch
from torch import Tensor

from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import Answer, Encodes, Item, Proposes
from compat_eval.models.parsing.dropout import Samples

Narrows: TypeAlias = Callable[[Tensor], Tensor]
"""Sets log p of choices (last axis) that are not to be drawn to -inf."""


def most_probable(k: int) -> Narrows:
    """Keep the `k` most probable choices.

    Raises:
        UsageError: `k` is less than 1.

    Examples:
        >>> most_probable(2)(torch.tensor([-1.0, -3.0, -2.0])).tolist()
        [-1.0, -inf, -2.0]

    """
    if k < 1:
        raise UsageError(f"top-k: expected at least 1 choice, got {k}")

    def narrow(nats: Tensor) -> Tensor:
        least = nats.topk(min(k, nats.shape[-1]), dim=-1).values[..., -1:]
        return nats.masked_fill(nats < least, -torch.inf)

    return narrow


def nucleus(p: float) -> Narrows:
    """Keep the fewest choices that have probability `p` together.

    Raises:
        UsageError: `p` is not in (0, 1].

    Examples:
        >>> kept = nucleus(0.7)(torch.tensor([0.5, 0.2, 0.3]).log())
        >>> kept.isfinite().tolist()
        [True, False, True]

    """
    if not 0 < p <= 1:
        raise UsageError(f"top-p: p must be in (0, 1], got {p}")

    def narrow(nats: Tensor) -> Tensor:
        ranked = nats.sort(dim=-1, descending=True)
        shares = ranked.values.exp()
        before = shares.cumsum(dim=-1) - shares
        dropped = torch.zeros_like(nats, dtype=torch.bool)
        dropped = dropped.scatter(-1, ranked.indices, before >= p)
        return nats.masked_fill(dropped, -torch.inf)

    return narrow


def drawn(nats: Tensor, numbers: Tensor) -> Tensor:
    """Return a choice for each number in [0, 1); what is -inf is never drawn.

    Args:
        nats: Shape (…, n_choices), any scale.
        numbers: Shape (…,).

    Examples:
        >>> drawn(torch.tensor([0.5, 0.0, 0.5]).log(), torch.tensor(0.7)).item()
        2

    """
    shares = nats.softmax(dim=-1).double().cumsum(dim=-1)
    wanted = numbers.to(shares) * shares[..., -1]
    return (shares <= wanted.unsqueeze(-1)).sum(dim=-1).clamp(max=nats.shape[-1] - 1)


_Finds: TypeAlias = Callable[
    [Sequence[Item], int, np.random.Generator], list[list[Answer]]
]
"""_Finds so many answers to each of at least one item."""

Makes: TypeAlias = Callable[..., Proposes]
"""Makes candidates of a model: `make(model, **options)`."""


class AnswersBest(Encodes, Protocol):
    """Knows its best answers."""

    def best_answers(self, items: Sequence[Item], k: int) -> list[list[Answer]]:
        """Return up to `k` answers to each of at least one item, the best first."""


class AnswersThinned(Encodes, Protocol):
    """Answers under dropout."""

    def dropout_answers(
        self, items: Sequence[Item], samples: Samples
    ) -> list[list[Answer]]:
        """Return to each of at least one item the usual answer in each sample."""


class DrawsAnswers(Encodes, Protocol):
    """Draws random answers, step by step."""

    def drawn_answers(
        self, items: Sequence[Item], seeds: Sequence[int], narrow: Narrows
    ) -> list[list[Answer]]:
        """Return an answer to each of at least one item for each seed."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Several answers of a model, found in one way.

    Attributes:
        model: Whose answers.
        find: The way.

    """

    model: Encodes
    find: _Finds

    def encode(self, inputs: Sequence[Any]) -> Sequence[Item]:
        """Return the model's items."""
        return self.model.encode(inputs)

    def propose(
        self, items: Sequence[Item], *, k: int, rng: np.random.Generator
    ) -> list[list[Answer]]:
        """Return `k` candidates for each item."""
        return self.find(items, k, rng) if items else []


def best(model: AnswersBest) -> Candidates:
    """Offer the model's best answers, the best first; see `filled_up`."""
    return Candidates(
        model, lambda items, k, _: filled_up(model.best_answers(items, k), k)
    )


def filled_up(found: Sequence[list[Answer]], k: int) -> list[list[Answer]]:
    """Return `k` answers of each, the first one repeated where there are fewer."""
    return [[*of_one, *of_one[:1] * (k - len(of_one))][:k] for of_one in found]


def dropout(
    model: AnswersThinned, p: float = 0.1, *, shared_encoder: bool = False
) -> Candidates:
    """Offer the model's usual answers while dropout is on, one seed a candidate.

    The answer without dropout is not among them.

    Args:
        model: Whose answers they are.
        p: Rate of dropout at all its sites, in [0, 1).
        shared_encoder: Whether the encoder runs once, without dropout, and only
            the sites behind it leave something out.

    Raises:
        UsageError: `p` is not in [0, 1).

    """
    if not 0 <= p < 1:
        raise UsageError(f"dropout-p: p must be in [0, 1), got {p}")

    def find(
        items: Sequence[Item], k: int, rng: np.random.Generator
    ) -> list[list[Answer]]:
        samples = Samples(p=p, seeds=_seeds(k, rng), shared_encoder=shared_encoder)
        return model.dropout_answers(items, samples)

    return Candidates(model, find)


def top_k(model: DrawsAnswers, top: int = 5) -> Candidates:
    """Offer answers drawn step by step, each from the `top` most probable choices.

    Raises:
        UsageError: `top` is less than 1.

    """
    return _drawn(model, most_probable(top))


def top_p(model: DrawsAnswers, p: float = 0.95) -> Candidates:
    """Likewise, from the fewest choices that have probability `p` together.

    Raises:
        UsageError: `p` is not in (0, 1].

    """
    return _drawn(model, nucleus(p))


def named_candidates(
    model: Encodes,
    generator: str,
    options: Mapping[str, Any],
    known: Mapping[str, Makes],
    *,
    noun: str,
) -> Proposes:
    """Return what makes candidates in a named way.

    Args:
        model: Whose candidates.
        generator: A name in `known`.
        options: Of the generator.
        known: The ways that the model has.
        noun: What the model is called in errors.

    Raises:
        UsageError: The generator or an option is unknown or out of range.

    """
    if generator not in known:
        raise UsageError(
            f"the {noun} has no generator {generator!r}; there are {', '.join(known)}"
        )
    make = known[generator]
    _, *takes = signature(make).parameters
    unknown = [name for name in options if name not in takes]
    if unknown:
        raise UsageError(
            f"generator {generator} has no option {unknown[0]!r}; known: "
            f"{', '.join(takes) or 'none'}"
        )
    try:
        return make(model, **options)
    except TypeError as error:
        given = ", ".join(f"{name}={value!r}" for name, value in options.items())
        raise UsageError(f"generator {generator} cannot take {given}") from error


def _drawn(model: DrawsAnswers, narrow: Narrows) -> Candidates:
    return Candidates(
        model, lambda items, k, rng: model.drawn_answers(items, _seeds(k, rng), narrow)
    )


def _seeds(k: int, rng: np.random.Generator) -> tuple[int, ...]:
    return tuple(rng.integers(2**31, size=k).tolist())
