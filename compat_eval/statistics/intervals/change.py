"""Two models on the same units: how their accuracy changed.

Newcombe's paired interval is shown. The bounds that decide meld two confidence
distributions: the change is π · (2ρ − 1), where π is the share of units that flip
either way and ρ the share of those that are fixed, and each has Clopper and Pearson's.
They agree with the exact McNemar test at a change of 0, and do not collapse when
nothing flips.

Sources:
    Newcombe, "Improved confidence intervals for the difference between binomial
    proportions based on paired data", Statistics in Medicine 1998 (method 10).
    McNemar, Psychometrika 1947. Fagerland, Lydersen and Laake, "The McNemar test
    for binary matched-pairs data: mid-p and asymptotic are better than exact
    conditional", BMC Medical Research Methodology 2013. Fay, Proschan and Brittain,
    "Combining one-sample confidence procedures for inference in the two-sample case",
    Biometrics 2015. Fay and Lumbard, "Confidence intervals for difference in
    proportions for matched pairs compatible with exact McNemar's or sign tests",
    Statistics in Medicine 2021.
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy import special

from compat_eval.core.arrays import Values
from compat_eval.core.estimate import Estimate, undefined
from compat_eval.statistics.intervals.evidence import (
    MOST_EXAMPLES,
    POWER,
    TOO_MANY,
    Fresh,
    Side,
    Sided,
    first_proven,
    kept,
    unreachable,
)
from compat_eval.statistics.intervals.proportion import p_above, wilson

_NODES = 256
_STEPS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEvidence(Sided):
    """Newcombe's paired interval to show, melded exact bounds to decide.

    The four counts may be fractional where an effective sample size is used.

    Attributes:
        kept: Units that both have right.
        broken: Units that only old has right.
        fixed: Units that only new has right.
        missed: Units that neither has right.
        n: How many independent pieces of evidence to report.
        examples: How many examples gave this evidence.
        undefined_when: The reason why there is no change, of nothing.
        method: Name of the interval.
        note: A remark for the report.

    """

    kept: float
    broken: float
    fixed: float
    missed: float
    n: int
    examples: int
    undefined_when: str
    method: str = "newcombe"
    note: str | None = None

    @property
    def units(self) -> float:
        """How many units, or what they are worth."""
        return self.kept + self.broken + self.fixed + self.missed

    @property
    def value(self) -> float:
        """New's accuracy minus old's; nan of nothing."""
        return (self.fixed - self.broken) / self.units if self.units > 0 else math.nan

    def estimate(self, confidence: float = 0.95) -> Estimate:
        """Return the change with Newcombe's interval."""
        if self.units <= 0:
            return undefined(
                self.undefined_when, confidence=confidence, method=self.method, n=self.n
            )
        low, high = newcombe(
            self.kept, self.broken, self.fixed, self.missed, confidence=confidence
        )
        return Estimate(
            value=self.value,
            low=low,
            high=high,
            confidence=confidence,
            method=self.method,
            n=self.n,
            reason=self.note,
        )

    def bound(self, alpha: float, side: Side) -> float:
        """Return the melded bound; 1 or −1 of nothing."""
        of = upper_change if side == "at_most" else lower_change
        return of(self.broken, self.fixed, self.units, alpha)

    def p(self, limit: float, side: Side) -> float:
        """Return the melded p-value; at 0 the exact one-sided McNemar test."""
        of = p_change_above if side == "at_most" else p_change_at_most
        return of(self.broken, self.fixed, self.units, limit)

    def detectable(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> float:
        """Return the least change that would have been proven to lie beyond."""
        if self.units <= 0:
            return math.nan
        all_right = side == "at_most"  # new's answers that would breach it the most

        def worse(share: float) -> "ChangeEvidence":
            left = 1 - share
            a, b, c, d = self.kept, self.broken, self.fixed, self.missed
            if all_right:
                a, b, c, d = a + share * b, left * b, c + share * d, left * d
            else:
                a, b, c, d = left * a, b + share * a, left * c, d + share * c
            return replace(self, kept=a, broken=b, fixed=c, missed=d)

        return first_proven(worse, limit, alpha, side=side)

    def fresh_examples(
        self,
        limit: float,
        alpha: float,
        *,
        side: Side = "at_most",
        power: float = POWER,
    ) -> Fresh:
        """Search for the multiple of these counts that proves the limit."""
        if self.units <= 0:
            return Fresh(reason=self.undefined_when)
        if not kept(self.value, limit, side):
            return unreachable(side)
        times = self._times(limit, alpha, side, power)
        if times * self.examples > MOST_EXAMPLES:
            return Fresh(reason=TOO_MANY)
        return Fresh(
            examples=math.ceil(times * self.examples - 1e-6),
            power=power if self.broken + self.fixed else 1.0,
        )

    def _times(self, limit: float, alpha: float, side: Side, power: float) -> float:
        test = p_change_above if side == "at_most" else p_change_at_most
        flips, change = self.broken + self.fixed, self.fixed - self.broken
        variance = max(flips - change * change / self.units, 0.0)
        unlucky = float(special.ndtri(power)) * (1 if side == "at_most" else -1)

        def proven(times: float) -> bool:
            """Whether it is, where the change strays as far as it does by chance."""
            strays = unlucky * math.sqrt(times * variance)
            fixed = (times * (flips + change) + strays) / 2
            fixed = min(max(fixed, 0.0), times * flips)
            return (
                test(times * flips - fixed, fixed, times * self.units, limit) <= alpha
            )

        low, high = 0.0, 1.0
        while not proven(high):
            low, high = high, 2 * high
            if high * self.examples > 2 * MOST_EXAMPLES:
                return high
        while (high - low) * self.examples > 1:
            middle = (low + high) / 2
            low, high = (low, middle) if proven(middle) else (middle, high)
        return high


def p_change_above(broken: float, fixed: float, n: float, limit: float) -> float:
    """Return the p-value of "the change in accuracy is above `limit`".

    Counts may be fractional. Small is evidence that the change is at most that.

    Examples:
        >>> p_change_above(5, 0, 100, 0.0)  # the exact one-sided McNemar test
        0.03125

    """
    if limit >= 1:
        return 0.0
    if limit < -1 or n <= 0:
        return 1.0
    if limit == 0:
        return float(_fixed_share_above(broken, fixed, np.array(0.5)))
    if broken <= 0:  # ρ may well be 1: only π is in doubt
        return float(p_above(fixed, n, limit)) if limit > 0 else 1.0
    low, high = _flipping(broken + fixed, n)
    flipping = high if limit > 0 else low
    with np.errstate(divide="ignore"):
        share = (1 + limit / flipping) / 2
    return float(np.mean(_fixed_share_above(broken, fixed, share)))


def p_change_at_most(broken: float, fixed: float, n: float, limit: float) -> float:
    """Return the p-value of "the change in accuracy is at most `limit`"."""
    return p_change_above(fixed, broken, n, -limit)


def upper_change(broken: float, fixed: float, n: float, alpha: float) -> float:
    """Return a bound above which the change lies with a chance of at most alpha."""
    if p_change_above(broken, fixed, n, 0.0) <= alpha:
        low, high = -1.0, 0.0
    else:
        low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if p_change_above(broken, fixed, n, middle) <= alpha:
            high = middle
        else:
            low = middle
    return high


def lower_change(broken: float, fixed: float, n: float, alpha: float) -> float:
    """Return a bound below which the change lies with a chance of at most alpha."""
    return -upper_change(fixed, broken, n, alpha)


def _fixed_share_above(broken: float, fixed: float, share: Values) -> Values:
    """Return the chance of ρ above `share` under its upper distribution."""
    inside = np.clip(share, 0.0, 1.0)
    if broken <= 0:  # ρ may well be 1
        return np.where(share < 1, 1.0, 0.0)
    return np.where(share >= 1, 0.0, special.betaincc(fixed + 1, broken, inside))


@lru_cache(maxsize=32)
def _flipping(flips: float, n: float) -> tuple[Values, Values]:
    """Return quantiles of the lower and upper distributions of π."""
    at = (np.arange(_NODES) + 0.5) / _NODES
    low = special.betaincinv(flips, n - flips + 1, at) if flips > 0 else 0 * at
    high = special.betaincinv(flips + 1, n - flips, at) if flips < n else 0 * at + 1
    return low, high


def newcombe(
    kept: float, broken: float, fixed: float, missed: float, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Return the interval of (fixed − broken) / n, new's accuracy minus old's.

    Wilson intervals of the two accuracies, squared and added, with the
    correlation between them. Counts may be fractional; nan without units.

    Examples:
        >>> low, high = newcombe(14, 0, 5, 22)  # Altman et al. 2000, table 6.2
        >>> round(low, 3), round(high, 3)
        (0.011, 0.226)

    """
    n = kept + broken + fixed + missed
    if n <= 0:
        return math.nan, math.nan
    new, old = (kept + fixed) / n, (kept + broken) / n
    new_low, new_high = _wilson(kept + fixed, n, confidence)
    old_low, old_high = _wilson(kept + broken, n, confidence)
    phi = _correlation(kept, broken, fixed, missed)
    down = _added(new - new_low, old_high - old, phi)
    up = _added(new_high - new, old - old_low, phi)
    change = (fixed - broken) / n
    return max(change - down, -1.0), min(change + up, 1.0)


def mcnemar(
    broken: int, fixed: int, *, method: Literal["midp", "exact"] = "midp"
) -> float:
    """Return the two-sided p-value of "as many break as are fixed".

    Only for independent units. Without a flip there is no evidence: 1.

    Examples:
        >>> mcnemar(5, 0), mcnemar(5, 0, method="exact"), mcnemar(0, 0)
        (0.03125, 0.0625, 1.0)

    """
    n, fewer = broken + fixed, min(broken, fixed)
    if n == 0:
        return 1.0
    tail = float(special.bdtr(fewer, n, 0.5))
    if method == "midp":
        here = tail - (float(special.bdtr(fewer - 1, n, 0.5)) if fewer else 0.0)
        tail -= here / 2
    return min(1.0, 2 * tail)


def _wilson(k: float, n: float, confidence: float) -> tuple[float, float]:
    low, high = wilson(k, n, confidence=confidence)
    return float(low), float(high)


def _correlation(kept: float, broken: float, fixed: float, missed: float) -> float:
    """Return Newcombe's continuity-corrected phi; 0 where a margin is empty."""
    margins = (kept + broken) * (fixed + missed) * (kept + fixed) * (broken + missed)
    if margins <= 0:
        return 0.0
    excess = kept * missed - broken * fixed
    if excess > 0:
        excess = max(excess - (kept + broken + fixed + missed) / 2, 0.0)
    return excess / math.sqrt(margins)


def _added(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(one * one - 2 * phi * one * other + other * other, 0.0))
