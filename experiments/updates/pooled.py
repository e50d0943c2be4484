"""Flips pooled over seed pairs, with intervals over examples or documents.

The four counts of all seed pairs are summed, then divided once. A replicate of
the bootstrap draws examples, or documents where examples belong to some, and takes
all seed pairs of what it drew: the intervals say how far other examples could move
the numbers, for these trained models.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from compat_eval.comparison.mitigated import effect
from compat_eval.core.arrays import Ints, Rows, Values
from compat_eval.core.estimate import Estimate
from compat_eval.statistics.families.effects import advantage, fixed_cut
from compat_eval.statistics.families.flips import (
    accuracy_new,
    accuracy_old,
    nfi,
    nfr,
    pfr,
    ratio,
)
from compat_eval.statistics.flip_table import FlipTable
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
        rows: Kept, broken, fixed and missed units of each cluster of examples,
            summed over the seed pairs, by level; each (n_clusters, 4).

    """

    rows: Mapping[str, Rows]

    @classmethod
    def of(
        cls, pairs: Sequence[tuple[Graded, Graded]], clusters: Ints | None = None
    ) -> "Pooled":
        """Pool (old, new) pairs.

        Args:
            pairs: Each pair's answers to the same examples.
            clusters: The cluster of each example, numbered from 0; `None` where
                examples are independent.

        """
        summed = {
            level: np.sum([flip_rows(old, new, level) for old, new in pairs], axis=0)
            for level in pairs[0][0].levels
        }
        if clusters is not None:
            summed = {k: _by_cluster(rows, clusters) for k, rows in summed.items()}
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


def _by_cluster(rows: Rows, clusters: Ints) -> Rows:
    summed = np.zeros((int(clusters.max()) + 1, rows.shape[1]))
    np.add.at(summed, clusters, rows)
    return summed


@cache
def _drawn(n: int) -> Rows:
    """Return how often each replicate draws each of n clusters: the same each time."""
    drawn = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), _REPLICATES)
    return drawn.astype(np.float64)


def mean_cut(
    untreated: Pooled,
    treated: Pooled,
    levels: Iterable[str],
    *,
    rate: Callable[[Rows], Values] = nfi,
) -> tuple[float, list[float]]:
    """Return the mean over levels of the relative cut of a rate, with its interval."""

    def cut(before: Values, after: Values) -> Values:
        return np.asarray(1 - ratio(after, before), np.float64)

    value, drawn = [], []
    for level in levels:
        value.append(cut(rate(untreated.totals(level)), rate(treated.totals(level))))
        before, after = untreated.replicates[level], treated.replicates[level]
        drawn.append(cut(rate(before), rate(after)))
    return float(np.mean(value)), interval(np.mean(drawn, axis=0))


def accuracy_gain(untreated: Pooled, treated: Pooled, level: str) -> list[float]:
    """Return treated less untreated accuracy: value, low, high."""
    value = accuracy_new(treated.totals(level)) - accuracy_new(untreated.totals(level))
    drawn = accuracy_new(treated.replicates[level]) - accuracy_new(
        untreated.replicates[level]
    )
    return [float(value), *interval(drawn)]


def effect_of(untreated: Pooled, treated: Pooled, level: str) -> str:
    """Return what the program says of a mitigation; see `mitigated.effect`.

    Where it was tried on fewer pairs, each of them counts for as much more.
    """
    new = untreated.totals(level)
    share = new.sum() / treated.totals(level).sum()
    after = treated.totals(level) * share
    both = np.concatenate([new, after])
    drawn = np.concatenate(
        [untreated.replicates[level], treated.replicates[level] * share], axis=1
    )
    found = {}
    for name, value in (("advantage", advantage), ("fixed_cut", fixed_cut)):
        low, high = interval(value(drawn))
        found[name] = Estimate(
            value=float(value(both)),
            low=low,
            high=high,
            confidence=0.95,
            method="bootstrap",
            n=len(untreated.rows[level]),
        )
    return effect(
        found, FlipTable.of_counts(new.tolist()), FlipTable.of_counts(after.tolist())
    )


def interval(values: Values) -> list[float]:
    """Return the middle 95 % of the replicates that are defined."""
    defined = values[~np.isnan(values)]
    if not len(defined):
        return [float("nan")] * 2
    low, high = np.percentile(defined, [2.5, 97.5])
    return [float(low), float(high)]
