"""What units that share a cluster, or differ in weight, are worth.

The variance of a mean is linearised over clusters, each left out once; how much
larger it is than that of as many independent units is the design effect (Kish), and
the units divided by it are the effective sample size. It is never larger than the
number of units, and it is discounted where the variance rests on few clusters or on a
few large ones (Satterthwaite's degrees of freedom, used as Korn and Graubard do).
`tests/simulation` and `benchmarks/coverage.py` show that bounds made of it cover.

Sources:
    Kish, "Survey Sampling", 1965. Korn and Graubard, "Confidence intervals for
    proportions with small expected number of positive counts estimated from survey
    data", Survey Methodology 1998. Bell and McCaffrey, "Bias reduction in standard
    errors for linear regression with multi-stage samples", Survey Methodology 2002.
"""

from dataclasses import dataclass

from scipy import special

from compat_eval.core.arrays import Bools, Ints, Values

FEW_CLUSTERS = 30
_TAIL = 0.025


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Summed (weighted) units of each distinct cluster.

    Attributes:
        gain: Sum over units of what is averaged: 0 or 1, or −1, 0 or 1.
        square: Sum over units of its square.
        whole: Sum over units of 1.
        shows: Which clusters have a unit of the rarer kind.
        times: How many clusters have each of these sums.

    """

    gain: Values
    square: Values
    whole: Values
    shows: Bools
    times: Ints

    @classmethod
    def of_share(cls, part: Values, whole: Values, times: Ints) -> "Sums":
        """Return the sums of a share: so many units of so many."""
        rare = part > 0 if 2 * (times @ part) <= times @ whole else part < whole
        return cls(gain=part, square=part, whole=whole, shows=rare, times=times)


def effective(sums: Sums, *, units: float, weighted: bool = False) -> Effective:
    """Return what the units of a mean are worth.

    Args:
        sums: The units, by cluster.
        units: How many units there are, each counted once.
        weighted: Whether weights differ between examples.

    """
    present = sums.whole > 0
    clusters = int(sums.times[present].sum())
    n = _worth(sums, clusters, units, weighted=weighted) if clusters > 1 else clusters
    return Effective(n=float(n), units=units, clusters=clusters)


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


def _worth(sums: Sums, clusters: int, units: float, *, weighted: bool) -> float:
    total = float(sums.times @ sums.whole)
    mean = float(sums.times @ sums.gain) / total
    independent = float(sums.times @ sums.square) / total - mean * mean
    # What clusters are worth whose units all agree.
    agreeing = total * total / float(sums.times @ (sums.whole * sums.whole))
    showing = int(sums.times[sums.shows].sum())
    if showing == 0:  # Nothing to estimate a variance from.
        return min(agreeing if weighted else clusters, units)
    residual = sums.gain - mean * sums.whole
    left_out = residual / (1 - sums.whole / total)
    variance = float(sums.times @ left_out**2) / total**2 * (clusters - 1) / clusters
    freedom = min(showing, _satterthwaite(residual, sums.times)) - 1
    if independent <= 0 or variance <= 0 or freedom <= 0:
        return min(agreeing, units)
    estimated = min(independent / variance, units)
    discount = special.ndtri(_TAIL) / special.stdtrit(freedom, _TAIL)
    return max(estimated * float(discount) ** 2, min(estimated, agreeing))


def _satterthwaite(residual: Values, times: Ints) -> float:
    """Return how many clusters the variance rests on, were they alike."""
    fourth = float(times @ residual**4)
    return float(times @ residual**2) ** 2 / fourth if fourth > 0 else 0.0
