"""The sizes that an architecture may have, and how they are drawn, changed and mixed.

A kind of model names the values of each size (`EncoderSettings.searched`); `widths.0`
is the first entry of the list `widths`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from compat_eval.core.errors import UsageError
from compat_eval.core.fingerprint import canonical_json
from compat_eval.models.architecture.supernetwork import Sizes

_TRIES = 200
"""Architectures that are drawn, at most, for one within the budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchitectureSpace:
    """What may be chosen, and how much it may compute.

    Attributes:
        choices: Values of each size by its name, the least first.
        flops: Of a network of some sizes, for one query.
        budget: Most operations that one may have.
        least: Fewest, as a share of the budget; what is far below it is no candidate.

    """

    choices: Mapping[str, Sequence[Any]]
    flops: Callable[[Sizes], int]
    budget: float
    least: float

    def largest(self) -> Sizes:
        """Return the sizes of the network that contains all others."""
        return sizes_of({name: some[-1] for name, some in self.choices.items()})

    def draw(self, rng: np.random.Generator) -> Mapping[str, Any]:
        """Return choices at random, within the budget.

        Raises:
            UsageError: None was found.

        """
        return self._within(lambda: {n: _one(c, rng) for n, c in self.choices.items()})

    def mutated(
        self, parent: Mapping[str, Any], rng: np.random.Generator, *, share: float
    ) -> Mapping[str, Any]:
        """Return choices of which each is drawn anew with a probability."""

        def changed() -> Mapping[str, Any]:
            return {
                name: _one(some, rng) if rng.random() < share else parent[name]
                for name, some in self.choices.items()
            }

        return self._within(changed)

    def crossed(
        self,
        one: Mapping[str, Any],
        other: Mapping[str, Any],
        rng: np.random.Generator,
    ) -> Mapping[str, Any]:
        """Return choices of which each is one's or the other's."""

        def mixed() -> Mapping[str, Any]:
            return {n: (one if rng.random() < 0.5 else other)[n] for n in self.choices}  # noqa: PLR2004

        try:
            return self._within(mixed)
        except UsageError:  # parents at both ends of the budget
            return one

    def _within(self, draw: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        for _ in range(_TRIES):
            found = draw()
            if self.least * self.budget <= self.flops(sizes_of(found)) <= self.budget:
                return found
        raise UsageError(
            f"of {_TRIES} architectures none has {self.least:.0%} to 100 % of "
            f"{self.budget:,.0f} operations a query; choose another budget= or least="
        )


def sizes_of(choices: Mapping[str, Any]) -> Sizes:
    """Return settings of choices, entries of lists together.

    Examples:
        >>> sizes_of({"widths.0": 8, "widths.1": 16, "heads": 2})
        {'widths': [8, 16], 'heads': 2}

    """
    found: dict[str, Any] = {}
    for name, value in choices.items():
        head, _, place = name.partition(".")
        if place:
            found.setdefault(head, []).append(value)
        else:
            found[head] = value
    return found


def key_of(choices: Mapping[str, Any]) -> str:
    """Return what tells choices apart."""
    return canonical_json(choices)


def _one(some: Sequence[Any], rng: np.random.Generator) -> Any:  # noqa: ANN401
    return some[int(rng.integers(len(some)))]
