"""What units that share a cluster, or differ in weight, are worth.

The variance of a share is linearised over clusters; how much larger it is than that
of as many independent units is the design effect (Kish), and the units divided by it
are the effective sample size. It is never larger than the number of units, and a
variance that rests on few clusters is not trusted to be small.

Sources:
    Kish, "Survey Sampling", 1965. Korn and Graubard, "Confidence intervals for
    proportions with small expected number of positive counts estimated from survey
    data", Survey Methodology 1998 (degrees of freedom).
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from compat_eval.core.arrays import Ints, Values

FEW_CLUSTERS = 30
_ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """How many independent units a clustered sample is worth.

    Attributes:
        n: The effective sample size.
        units: How many units there are.
        clusters: How many clusters have any of them.

    """

    n: float
    units: float
    clusters: int

    @property
    def design_effect(self) -> float:
        """How many units are worth one independent unit; at least 1."""
        return self.units / self.n if self.n > 0 else 1.0


def effective_share(
    part: Values, whole: Values, times: Ints, *, units: float, weighted: bool = False
) -> Effective:
    """Return what the units of a share are worth.

    Args:
        part: Summed (weighted) units of each distinct cluster that count.
        whole: Summed (weighted) units among which they count.
        times: How many clusters have each of these sums.
        units: How many units there are in the whole, each counted once.
        weighted: Whether weights differ between examples.

    """
    present = whole > 0
    part, whole, times = part[present], whole[present], times[present]
    clusters = int(times.sum())
    total = float(times @ whole)
    if total <= 0:
        return Effective(n=0.0, units=units, clusters=clusters)
    share = float(times @ part) / total
    squares = float(times @ (part - share * whole) ** 2)
    rare = part > 0 if 2 * share <= 1 else part < whole
    return Effective(
        n=_effective_n(
            binomial=share * (1 - share),
            variance=_linearised(squares, total, clusters),
            informative=int(times[rare].sum()),
            units=units,
            clusters=clusters,
            equal=total * total / float(times @ (whole * whole)),
            weighted=weighted,
        ),
        units=units,
        clusters=clusters,
    )


def effective_mean(
    gain: Values, whole: Values, times: Ints, *, units: float, weighted: bool = False
) -> Effective:
    """Return what the units are worth for a mean of gains of −1, 0 and 1.

    Args:
        gain: Summed (weighted) fixed minus broken units of each distinct cluster,
            and their summed squares, shape (n_distinct, 2).
        whole: Summed (weighted) units.
        times: How many clusters have each of these sums.
        units: How many units there are, each counted once.
        weighted: Whether weights differ between examples.

    """
    total, clusters = float(times @ whole), int(times[whole > 0].sum())
    if total <= 0:
        return Effective(n=0.0, units=units, clusters=clusters)
    mean, square = (times @ gain) / total
    squares = float(times @ (gain[:, 0] - mean * whole) ** 2)
    return Effective(
        n=_effective_n(
            binomial=float(square - mean * mean),
            variance=_linearised(squares, total, clusters),
            informative=int(times[gain[:, 1] > 0].sum()),
            units=units,
            clusters=clusters,
            equal=total * total / float(times @ (whole * whole)),
            weighted=weighted,
        ),
        units=units,
        clusters=clusters,
    )


def _linearised(squares: float, total: float, clusters: int) -> float:
    if clusters <= 1:
        return np.inf
    return squares / (total * total) * clusters / (clusters - 1)


def _effective_n(
    *,
    binomial: float,
    variance: float,
    informative: int,
    units: float,
    clusters: int,
    equal: float,
    weighted: bool,
) -> float:
    """Return the effective sample size.

    Without a variance to speak of, it is the number of clusters (with weights:
    what clusters of equal weight would be worth). An estimated one is discounted by
    Student's quantile, with as many degrees of freedom as clusters show the event.
    """
    floor = min(equal, clusters)
    if clusters <= 1:
        return float(clusters)
    if binomial <= 0 or variance <= 0 or informative <= 1:
        return min(floor if weighted else clusters, units)
    estimated = min(binomial / variance, units)
    z, t = special.ndtri(_ALPHA), special.stdtrit(informative - 1, _ALPHA)
    discounted = estimated * float(z / t) ** 2
    return max(discounted, min(estimated, floor))


def remark(effective: Effective, *, what: str = "clusters") -> str:
    """Return what a report says about clusters, with a warning below 30.

    Examples:
        >>> remark(Effective(n=50.0, units=100.0, clusters=40))
        '40 clusters, design effect 2.00'

    """
    text = f"{effective.clusters} {what}, design effect {effective.design_effect:.2f}"
    if effective.clusters < FEW_CLUSTERS:
        text += f": fewer than {FEW_CLUSTERS}, so the interval is rough"
    return text
