"""P-values of many claims, adjusted so that together they can be trusted.

Sources:
    Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian
    Journal of Statistics 1979. Benjamini and Hochberg, "Controlling the False
    Discovery Rate", Journal of the Royal Statistical Society B 1995.
"""

import numpy as np
from numpy.typing import ArrayLike

from compat_eval.core.arrays import Ints, Values


def holm(p_values: ArrayLike) -> Values:
    """Return adjusted p-values: at most alpha, no claim of the family is wrong.

    More exactly: rejecting what lies at or below alpha rejects anything true with
    a chance of at most alpha, however the tests depend on each other.

    Examples:
        >>> holm([0.01, 0.04, 0.03]).round(4).tolist()
        [0.03, 0.06, 0.06]

    """
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    factors = len(p) - np.arange(len(p))
    raised = np.maximum.accumulate(p[order] * factors)
    return _in_order(raised, order)


def benjamini_hochberg(p_values: ArrayLike) -> Values:
    """Return adjusted p-values: at most q, a share of q of the finds is false.

    For exploring, such as slice search; a gate uses Holm.

    Examples:
        >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(4).tolist()
        [0.03, 0.04, 0.04]

    """
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    factors = len(p) / (np.arange(len(p)) + 1)
    lowered = np.minimum.accumulate((p[order] * factors)[::-1])[::-1]
    return _in_order(lowered, order)


def _checked(p_values: ArrayLike) -> Values:
    p = np.asarray(p_values, np.float64)
    if p.ndim != 1 or np.any(~((p >= 0) & (p <= 1))):
        raise ValueError("p-values must be a list of numbers in [0, 1]")
    return p


def _in_order(adjusted: Values, order: Ints) -> Values:
    out = np.empty(len(adjusted))
    out[order] = np.minimum(adjusted, 1.0)
    return out
