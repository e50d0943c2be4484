"""Two models on the same independent units: interval and test of the change.

Sources:
    Newcombe, "Improved confidence intervals for the difference between binomial
    proportions based on paired data", Statistics in Medicine 1998 (method 10).
    McNemar, Psychometrika 1947. Fagerland, Lydersen and Laake, "The McNemar test
    for binary matched-pairs data: mid-p and asymptotic are better than exact
    conditional", BMC Medical Research Methodology 2013.
"""

import math
from typing import Literal

from scipy import special

from compat_eval.statistics.intervals.proportion import wilson


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
