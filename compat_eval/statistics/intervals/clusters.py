"""What units that share a cluster, or differ in weight, are worth.

The variance of a mean is linearised over clusters, each left out once. How much larger
it is than that of as many independent units is the design effect (Kish), and the units
divided by it are the effective sample size, never more than there are units.

Two corrections keep bounds honest where few clusters hold a flip:

- The design effect is estimated as if a small part of one more of the large clusters
  had been seen, with units of the rarer kind. They are as alike as the correlation
  within clusters may well be: its estimate (Fleiss and Cuzick) and a standard error
  more, and one further cluster that flips as a whole beside those that flip. So many
  flips, each in a cluster of its own, say that clusters do not flip as a whole; few say
  nothing.
  Without a flip there is no variance to estimate: then the clusters themselves are
  counted. Of single examples with weights it is one whole example, and one of the
  heaviest: that the sample shows no flip among the few that weigh most does not say
  that none of them flips (Fay and Feuer).
- The level of a bound is widened from the normal to Student's t. Its degrees of freedom
  follow from how uncertain the design effect is (Satterthwaite): only the part of the
  fourth moment counts that a binomial of the effective size does not have already.

`benchmarks/coverage.py` and `tests/simulation` show that the bounds cover, and how wide
they are beside Korn and Graubard's.

Sources:
    Kish, "Survey Sampling", 1965. Korn and Graubard, "Confidence intervals for
    proportions with small expected number of positive counts estimated from survey
    data", Survey Methodology 1998. Fleiss and Cuzick, "The reliability of dichotomous
    judgments: unequal numbers of judges per subject", Applied Psychological Measurement
    1979 (the correlation within clusters of any size). Satterthwaite, "An approximate
    distribution of estimates of variance components", Biometrics 1946. Fay and Feuer,
    "Confidence intervals for directly standardized rates", Statistics in Medicine 1997
    (the weight of the flip that was not seen).
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from compat_eval.core.arrays import Ints, Values

FEW_CLUSTERS = 30
FEWEST_CLUSTERS = 5  # with fewer nothing is bounded; simulated from here on
_UNSEEN = 0.25  # of one more cluster; chosen by benchmarks/coverage.py
_FEWEST_FREEDOM = 2.0
_TINY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """How many independent units a clustered sample is worth.

    Attributes:
        n: The effective sample size.
        units: How many units there are.
        clusters: How many clusters have any of them.
        alike: What they would be worth, did all units of a cluster agree.
        carrying: How many clusters of one size would have as uncertain a variance.
        freedom: Degrees of freedom of the variance behind it; infinite where none was
            estimated.

    """

    n: float
    units: float
    clusters: int
    alike: float = math.nan
    carrying: float = math.inf
    freedom: float = math.inf

    @property
    def design_effect(self) -> float:
        """How many units are worth one independent unit; at least 1."""
        return self.units / self.n if self.n > 0 else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Summed (weighted) units of each distinct cluster.

    Attributes:
        gain: Sum over units of what is averaged: 0 or 1, or −1, 0 or 1.
        square: Sum over units of its square.
        whole: Sum over units of 1.
        times: How many clusters have each of these sums; fractional where a sample is
            only thought of.

    """

    gain: Values
    square: Values
    whole: Values
    times: Ints | Values

    @classmethod
    def of_share(cls, part: Values, whole: Values, times: Ints | Values) -> "Sums":
        """Return the sums of a share: so many units of so many."""
        return cls(gain=part, square=part, whole=whole, times=times)

    def scaled(self, by: float) -> "Sums":
        """Return the sums with every weight multiplied."""
        return Sums(
            gain=self.gain * by,
            square=self.square * by,
            whole=self.whole * by,
            times=self.times,
        )

    def added(self, values: Values) -> float:
        """Return a sum over all clusters, in an order that is always the same."""
        return float(np.add.reduce(self.times * values))


def effective(sums: Sums, *, units: float, weighted: bool = False) -> Effective:
    """Return what the units of a mean are worth.

    Args:
        sums: The units, by cluster.
        units: How many units there are, each counted once.
        weighted: Whether weights differ between examples.

    """
    clusters = round(float(sums.times[sums.whole > 0].sum()))
    if clusters <= 1:
        n = float(clusters)
        return Effective(n=n, units=units, clusters=clusters, alike=n)
    per_unit = sums.scaled(units / sums.added(sums.whole))
    single = weighted and clusters >= units
    size = _heaviest(per_unit)
    squares = per_unit.added(per_unit.whole**2)
    alike = float(clusters)
    if weighted:  # Kish's number, or that of the heaviest examples
        alike = units / (size if single else squares / units)
    found = Effective(
        n=min(alike, units),
        units=units,
        clusters=clusters,
        alike=min(alike, units),
        carrying=squares**2 / per_unit.added(per_unit.whole**4),
    )
    mean = per_unit.added(per_unit.gain) / units
    square = per_unit.added(per_unit.square) / units
    variance = square - mean * mean
    if variance <= _TINY:  # no unit of the rarer kind: nothing to estimate from
        return found
    residual = per_unit.gain - mean * per_unit.whole
    rest = np.maximum(1 - per_unit.whole / units, _TINY)
    residual = residual / rest  # each cluster left out once
    part, alike = (1.0, size) if single else (_UNSEEN, size)
    if not weighted:
        alike = 1 + _correlation(per_unit, clusters) * (size - 1)
    unseen = (part * size, alike)
    effect = _design_effect(per_unit, residual, (mean, variance), clusters, unseen)
    n = units / max(effect, 1.0)
    fourth = square - 4 * mean**2 + 6 * mean**2 * square - 3 * mean**4
    binomial = fourth / (n * variance**2)
    return replace(found, n=n, freedom=_freedom(per_unit, residual, binomial, clusters))


def remark(effective: Effective, *, what: str = "clusters") -> str:
    """Return what a report says about clusters, with a warning below 30.

    Examples:
        >>> remark(Effective(n=50.0, units=100.0, clusters=40))
        '40 clusters, design effect 2.00'

    """
    named = what.removesuffix("s") if effective.clusters == 1 else what
    text = (
        f"{effective.clusters:,} {named}, design effect {effective.design_effect:.2f}"
    )
    if effective.clusters < FEW_CLUSTERS:
        text += f": fewer than {FEW_CLUSTERS}, so the interval is rough"
    elif effective.carrying < FEW_CLUSTERS:
        carrying = f"{effective.carrying:.0f}"
        text += f": the largest weigh as if there were {carrying}, so it is rough"
    return text


def _heaviest(sums: Sums) -> float:
    """Return the size of those clusters whose flips move the mean the most.

    The next flip may be in one of them, also where most clusters are small.
    """
    return sums.added(sums.whole**3) / sums.added(sums.whole**2)


def _design_effect(
    sums: Sums,
    residual: Values,
    moments: tuple[float, float],
    clusters: int,
    unseen: tuple[float, float],
) -> float:
    """Return the estimate with some units of the rarer kind in one more cluster.

    Args:
        sums: The units, by cluster.
        residual: What each cluster adds to the mean.
        moments: Mean and variance of units.
        clusters: How many there are.
        unseen: How many units more, and how many of them flip at once.

    """
    (mean, variance), (more, alike) = moments, unseen
    # How far a unit of the rarer kind lies from the mean, be it a share or a change.
    rarer = 1.0 if np.any(sums.gain != sums.square) else max(mean, 1 - mean)
    clustered = sums.added(residual**2) * (clusters - 1) / clusters
    independent = sums.added(sums.whole) * variance
    seen = rarer**2 * more
    return (clustered + seen * alike) / (independent + seen)


def _correlation(sums: Sums, clusters: int) -> float:
    """Return how alike units of one cluster may well be, from 0 to 1.

    Fleiss and Cuzick's estimate from what differs within clusters, and its standard
    error with each cluster left out once; 1 for one more cluster beside those that
    flip. Clusters of a single unit say nothing about it.
    """
    whole = np.where(sums.whole > 0, sums.whole, 1.0)
    within = sums.square - sums.gain**2 / whole
    columns = np.stack([within, sums.whole, sums.gain, sums.square])
    total = np.array([sums.added(column) for column in columns])
    found = float(_alike(total, clusters))
    without = _alike(total[:, None] - columns, clusters - 1)
    without = np.where(np.isnan(without) | (sums.whole <= 0), found, without)
    off = without - sums.added(without) / float(sums.times.sum())
    spread = math.sqrt(sums.added(off**2) * (clusters - 1) / clusters)
    rare = 2 * total[3] <= total[1]  # flips, or units that do not flip
    moved = (sums.square if rare else sums.whole - sums.square) > _TINY
    flipping = sums.added(np.where(moved, np.maximum(1 - 1 / whole, 0.0), 0.0))
    most = 1.0 if math.isnan(found) else min(max(found, 0.0) + spread, 1.0)
    return (flipping * most + 1) / (flipping + 1)


def _alike(columns: Values, clusters: float) -> Values:
    """Return Fleiss and Cuzick's estimate; nan without units that could differ.

    It is 1 less the share of the variance that lies within clusters. The columns are
    sums over clusters: of squares around the mean of each, units, gains and squares.
    """
    within, whole, gain, square = columns
    mean = gain / whole
    expected = np.asarray((whole - clusters) * (square / whole - mean**2))
    known = expected > _TINY
    parts = within / np.where(known, expected, 1.0)
    return np.where(known, 1 - parts, np.nan)


def _freedom(sums: Sums, residual: Values, binomial: float, clusters: int) -> float:
    """Return degrees of freedom from the fourth moment that a binomial has not.

    Half of Satterthwaite's, which are those of normal residuals.
    """
    most = clusters - 1.0
    squared = sums.added(residual**2)
    excess = sums.added(residual**4) / squared**2 - binomial if squared > 0 else 0.0
    if excess <= 0:
        return most
    return min(max(1 / excess, _FEWEST_FREEDOM), most)
