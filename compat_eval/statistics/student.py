"""Student's t: its quantiles to the last digits that are written, and means by it."""

import math
from collections.abc import Callable

import numpy as np
from scipy import special

from compat_eval.core.arrays import Values
from compat_eval.core.estimate import Estimate, undefined

_METHOD = "student-t"


def student_quantile(freedom: float, share: float) -> float:
    """Return the value below which a share of Student's t lies.

    Versions of scipy differ in the ninth digit of it, and a run is verified with
    another version than made it: a step of Newton's makes them agree.

    Examples:
        >>> round(student_quantile(3, 0.95), 12)
        2.353363434802
        >>> student_quantile(3, 0.0)
        -inf

    """
    if share <= 0 or share >= 1:
        return math.copysign(math.inf, share - 0.5)
    found = float(special.stdtrit(freedom, share))
    tail = math.exp(-(freedom + 1) / 2 * math.log1p(found * found / freedom))
    density = tail / (math.sqrt(freedom) * float(special.beta(0.5, freedom / 2)))
    if not density > 0:  # too far out, or undefined
        return found
    return found - (float(special.stdtr(freedom, found)) - share) / density


def mean_estimate(
    values: Values,
    *,
    of: str = "random seed",
    through: Callable[[float], float] = float,
    confidence: float = 0.95,
) -> Estimate:
    """Return a mean of independent repeats with its interval by Student's t.

    Args:
        values: One a repeat, shape (n,); of pairs, their differences.
        of: What a repeat is called.
        through: Increasing; what the mean and its ends are shown as, such as
            `math.expm1` of a change in log-perplexity.
        confidence: Of the interval.

    Examples:
        >>> mean_estimate(np.array([1.0, 2.0, 3.0])).value
        2.0

    """
    n = len(values)
    if not n or not np.isfinite(values).all():
        why = f"there is no {of}" if not n else f"undefined with some {of}"
        return undefined(why, confidence=confidence, method=_METHOD, n=n)
    mean, low, high = float(np.mean(values)), math.nan, math.nan
    reason = f"no interval: one {of} alone"
    if n > 1:
        half = student_quantile(n - 1, (1 + confidence) / 2)
        half *= float(np.std(values, ddof=1)) / math.sqrt(n)
        low, high, reason = through(mean - half), through(mean + half), ""
    return Estimate(
        value=through(mean),
        low=low,
        high=high,
        confidence=confidence,
        method=_METHOD,
        n=n,
        reason=reason or None,
    )
