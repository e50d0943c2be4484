"""Quantiles of Student's t, to the last digits that are written."""

import math

from scipy import special


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
