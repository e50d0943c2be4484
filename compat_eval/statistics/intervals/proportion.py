"""Intervals, bounds and p-values for a share of independent units.

Counts may be fractional, so that an effective sample size can be used, and may
be arrays. With no units at all everything is known to lie in [0, 1] and no more.

Sources:
    Wilson, "Probable Inference, the Law of Succession, and Statistical
    Inference", JASA 1927. Clopper and Pearson, "The Use of Confidence or Fiducial
    Limits Illustrated in the Case of the Binomial", Biometrika 1934. Brown, Cai
    and DasGupta, "Interval Estimation for a Binomial Proportion", Statistical
    Science 2001.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from compat_eval.core.arrays import Values

_NEAR = 3


def wilson(
    k: ArrayLike, n: ArrayLike, *, confidence: float = 0.95
) -> tuple[Values, Values]:
    """Return Wilson's two-sided interval.

    Examples:
        >>> low, high = wilson(0, 20)
        >>> float(low), round(float(high), 3)
        (0.0, 0.161)

    """
    k, n = _counts(k, n)
    z = float(special.ndtri((1 + confidence) / 2))
    share = np.divide(k, n, out=np.full(k.shape, 0.5), where=n > 0)
    weight = n + z * z
    centre = (k + z * z / 2) / weight
    spread = z * np.sqrt(share * (1 - share) * n + z * z / 4) / weight
    low = np.where(k <= 0, 0.0, np.maximum(centre - spread, 0.0))
    high = np.where(k >= n, 1.0, np.minimum(centre + spread, 1.0))
    return low, high


def modified_wilson(
    k: ArrayLike, n: ArrayLike, *, confidence: float = 0.95
) -> tuple[Values, Values]:
    """Return Wilson's interval with Poisson ends near 0 and 1: the one to show.

    Wilson's own lower end lies too high at one to three successes; Brown, Cai and
    DasGupta's is the Poisson rate of which as many or more are seen with a chance of
    1 − confidence.

    Examples:
        >>> low, _ = modified_wilson(1, 30)
        >>> round(float(low), 4)  # Wilson's is 0.0059
        0.0017

    """
    k, n = _counts(k, n)
    low, high = wilson(k, n, confidence=confidence)
    return (
        np.minimum(low, _poisson_end(k, n, confidence)),
        np.maximum(high, 1 - _poisson_end(n - k, n, confidence)),
    )


def _poisson_end(k: Values, n: Values, confidence: float) -> Values:
    near = (k > 0) & (k <= _NEAR) & (n > 0)
    rate = special.gammaincinv(np.where(near, k, 1.0), 1 - confidence)
    return np.where(near, rate / np.where(n > 0, n, 1.0), 1.0)


def clopper_pearson(
    k: ArrayLike, n: ArrayLike, *, confidence: float = 0.95
) -> tuple[Values, Values]:
    """Return the two-sided interval that never covers too rarely."""
    alpha = (1 - confidence) / 2
    return lower_bound(k, n, alpha=alpha), upper_bound(k, n, alpha=alpha)


def upper_bound(k: ArrayLike, n: ArrayLike, *, alpha: float = 0.05) -> Values:
    """Return Clopper and Pearson's one-sided upper bound.

    The true share lies above it with a chance of at most `alpha`.

    Examples:
        >>> round(float(upper_bound(0, 500)), 4)
        0.006

    """
    k, n = _counts(k, n)
    sure = k >= n
    bound = special.betaincinv(k + 1, np.where(sure, 1.0, n - k), 1 - alpha)
    return np.where(sure, 1.0, bound)


def lower_bound(k: ArrayLike, n: ArrayLike, *, alpha: float = 0.05) -> Values:
    """Return Clopper and Pearson's one-sided lower bound; mirror of the upper."""
    k, n = _counts(k, n)
    none = k <= 0
    bound = special.betaincinv(np.where(none, 1.0, k), n - k + 1, alpha)
    return np.where(none, 0.0, bound)


def p_at_most(k: ArrayLike, n: ArrayLike, limit: float) -> Values:
    """Return the p-value of "the share is at most `limit`".

    It is the chance of `k` or more at a share of exactly the limit; below
    `alpha` exactly where the lower bound lies above the limit.
    """
    k, n = _counts(k, n)
    if limit <= 0:
        return np.where(k > 0, 0.0, 1.0) if limit == 0 else np.zeros(k.shape)
    if limit >= 1:
        return np.ones(k.shape)
    none = k <= 0
    chance = special.betainc(np.where(none, 1.0, k), n - k + 1, limit)
    return np.where(none, 1.0, chance)


def p_above(k: ArrayLike, n: ArrayLike, limit: float) -> Values:
    """Return the p-value of "the share is above `limit`".

    It is the chance of `k` or fewer at a share of exactly the limit; at most
    `alpha` exactly where the upper bound is at most the limit.

    Examples:
        >>> float(p_above(0, 299, 0.01)) <= 0.05 < float(p_above(0, 298, 0.01))
        True

    """
    k, n = _counts(k, n)
    if limit < 0:
        return np.ones(k.shape)
    if limit >= 1:
        return np.zeros(k.shape)
    sure = k >= n
    chance = special.betaincc(k + 1, np.where(sure, 1.0, n - k), limit)
    return np.where(sure, 1.0, chance)


def _counts(k: ArrayLike, n: ArrayLike) -> tuple[Values, Values]:
    pair = np.broadcast_arrays(np.asarray(k, np.float64), np.asarray(n, np.float64))
    return pair[0], pair[1]
