"""Bounds of a quantile by order statistics, which ask nothing of the distribution.

Of n independent values, the number that lie below the q-quantile is binomial with
chance q, so that the k-th smallest is a bound where so few (or many) are rare.

Source:
    David and Nagaraja, "Order Statistics", 3rd edition, 2003, section 7.1,
    https://doi.org/10.1002/0471722162.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from compat_eval.core.arrays import Values
from compat_eval.core.estimate import Estimate
from compat_eval.statistics.intervals.evidence import (
    POWER,
    TOO_MANY,
    Fresh,
    Side,
    Sided,
    between_bounds,
    joined,
    kept,
    unreachable,
    within,
)
from compat_eval.statistics.power import lasting_n_with_power

METHOD = "order-statistics"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileEvidence(Sided):
    """Evidence about a quantile of what each of several clusters has.

    Attributes:
        values: One a cluster, ascending, shape (n,) with n > 0.
        quantile: Which one, in (0, 1]; 1 is the greatest, which has no upper bound.
        examples: How many examples the clusters hold.
        reach: The ends that the number cannot pass.
        note: A remark for the report.

    """

    values: Values
    quantile: float
    examples: int
    reach: tuple[float, float] = (-math.inf, math.inf)
    note: str | None = None

    @property
    def value(self) -> float:
        """The quantile of the sample, between neighbours where it falls there."""
        return float(np.quantile(self.values, self.quantile))

    def estimate(self, confidence: float = 0.95) -> Estimate:
        """Return the quantile with the interval between two of the values."""
        alpha = (1 - confidence) / 2
        ends = {"lower": "at_least", "upper": "at_most"}
        missing = [
            name
            for name, side in ends.items()
            if math.isnan(self.bound(alpha, side))  # type: ignore[arg-type]
        ]
        why = (
            f"no {' and no '.join(missing)} end: {len(self.values)} clusters are too "
            f"few for one of the {self.quantile:g}-quantile"
            if missing
            else None
        )
        return between_bounds(
            self,
            confidence,
            method=METHOD,
            n=len(self.values),
            reason=joined(why, self.note),
        )

    def bound(self, alpha: float, side: Side) -> float:
        """Return the nearest value that is a bound; nan where there is none.

        Examples:
            >>> values = np.arange(1.0, 11.0)  # its median lies below 9 in 98.9 %
            >>> found = QuantileEvidence(values=values, quantile=0.5, examples=10)
            >>> found.bound(0.05, "at_most"), found.bound(0.05, "at_least")
            (9.0, 2.0)

        """
        n = len(self.values)
        ranks = np.arange(1, n + 1)
        if side == "at_most":
            chances = special.bdtrc(ranks - 1, n, self.quantile)
            good = np.flatnonzero(chances <= alpha)
            return float(self.values[good[0]]) if len(good) else math.nan
        chances = special.bdtr(ranks - 1, n, self.quantile)
        good = np.flatnonzero(chances <= alpha)
        return float(self.values[good[-1]]) if len(good) else math.nan

    def p(self, limit: float, side: Side) -> float:
        """Return the chance of as many (or few) values up to the limit."""
        n = len(self.values)
        m = int(np.searchsorted(self.values, limit, side="right"))
        if side == "at_most":
            return 1.0 if m == 0 else float(special.bdtrc(m - 1, n, self.quantile))
        return float(special.bdtr(m, n, self.quantile))

    def detectable(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> float:
        """Return the quantile of the values, all moved until a breach is proven."""
        other: Side = "at_least" if side == "at_most" else "at_most"
        return within(self.reach, limit + self.value - self.bound(alpha, other))

    def fresh_examples(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> Fresh:
        """Return what proves that few enough clusters lie beyond the limit."""
        if not kept(self.value, limit, side):
            return unreachable(side)
        n = len(self.values)
        inside = int(np.searchsorted(self.values, limit, side="right")) / n
        rate, bar = (
            (1 - inside, 1 - self.quantile)
            if side == "at_most"
            else (inside, self.quantile)
        )
        if bar <= 0:
            return Fresh(reason="the greatest of all clusters has no upper bound")
        needed = lasting_n_with_power(rate, bar, power=POWER, alpha=alpha)
        if needed is None:
            return Fresh(reason=TOO_MANY)
        return Fresh(examples=math.ceil(needed * self.examples / n), power=POWER)
