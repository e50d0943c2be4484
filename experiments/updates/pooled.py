"""Flips pooled over seed pairs, with intervals over examples.

The four counts of all seed pairs are summed, then divided once. A replicate of
the bootstrap draws examples, and takes all seed pairs of a drawn example:
the intervals say how far other examples could move the numbers, for these
trained models.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from compat_eval.core.arrays import Rows, Values
from compat_eval.metrics.flips import accuracy_new, accuracy_old, nfi, nfr, pfr, ratio
from experiments.updates.graded import Graded, flip_rows

_REPLICATES = 2000
_QUANTITIES = {
    "accuracy_old": accuracy_old,
    "accuracy_new": accuracy_new,
    "nfr": nfr,
    "pfr": pfr,
    "nfi": nfi,
}


@dataclass(frozen=True)
class Pooled:
    """One treatment over all its seed pairs.

    Attributes:
        rows: Kept, broken, fixed and missed units of each example, summed over
            the seed pairs, by level; each (n_examples, 4).

    """

    rows: Mapping[str, Rows]

    @classmethod
    def of(cls, pairs: Sequence[tuple[Graded, Graded]]) -> "Pooled":
        """Pool (old, new) pairs."""
        summed = {
            level: np.sum([flip_rows(old, new, level) for old, new in pairs], axis=0)
            for level in pairs[0][0].levels
        }
        return cls(summed)

    def totals(self, level: str) -> Rows:
        return np.asarray(self.rows[level].sum(axis=0), np.float64)

    @cached_property
    def replicates(self) -> Mapping[str, Rows]:
        """Totals of each replicate, by level; each (n_replicates, 4)."""
        return {level: _drawn(len(rows)) @ rows for level, rows in self.rows.items()}

    def metrics(self, level: str) -> dict[str, float]:
        totals = self.totals(level)
        return {name: float(value(totals)) for name, value in _QUANTITIES.items()}

    def intervals(self, level: str) -> dict[str, list[float]]:
        return {
            name: interval(value(self.replicates[level]))
            for name, value in _QUANTITIES.items()
        }


@cache
def _drawn(n: int) -> Rows:
    """Return how often each replicate draws each of n examples: the same each time."""
    drawn = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), _REPLICATES)
    return drawn.astype(np.float64)


def mean_cut(
    untreated: Pooled, treated: Pooled, levels: Iterable[str]
) -> tuple[float, list[float]]:
    """Return the mean over levels of the relative cut of NFI, with its interval."""

    def cut(before: Values, after: Values) -> Values:
        return np.asarray(1 - ratio(after, before), np.float64)

    value, drawn = [], []
    for level in levels:
        value.append(cut(nfi(untreated.totals(level)), nfi(treated.totals(level))))
        before, after = untreated.replicates[level], treated.replicates[level]
        drawn.append(cut(nfi(before), nfi(after)))
    return float(np.mean(value)), interval(np.mean(drawn, axis=0))


def accuracy_gain(untreated: Pooled, treated: Pooled, level: str) -> list[float]:
    """Return treated less untreated accuracy: value, low, high."""
    value = accuracy_new(treated.totals(level)) - accuracy_new(untreated.totals(level))
    drawn = accuracy_new(treated.replicates[level]) - accuracy_new(
        untreated.replicates[level]
    )
    return [float(value), *interval(drawn)]


def interval(values: Values) -> list[float]:
    """Return the middle 95 % of the replicates that are defined."""
    defined = values[~np.isnan(values)]
    if not len(defined):
        return [float("nan")] * 2
    low, high = np.percentile(defined, [2.5, 97.5])
    return [float(low), float(high)]
