"""Exact-style bounds for the change in accuracy of paired, independent units.

The change is π · (2ρ − 1), where π is the share of units that flip either way and
ρ the share of those that are fixed. Each has Clopper and Pearson's confidence
distribution; melding them gives bounds that agree with the exact McNemar test at
a change of 0, and that do not collapse when nothing flips.

Sources:
    Fay, Proschan and Brittain, "Combining one-sample confidence procedures for
    inference in the two-sample case", Biometrics 2015. Fay and Lumbard,
    "Confidence intervals for difference in proportions for matched pairs
    compatible with exact McNemar's or sign tests", Statistics in Medicine 2021.
"""

from functools import lru_cache

import numpy as np
from scipy import special

from compat_eval.core.arrays import Values
from compat_eval.statistics.intervals.proportion import p_above

_NODES = 256
_STEPS = 32


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
