"""Bounds of clustered units for many samples at once.

The same formulas as `compat_eval.statistics` has for one sample, written anew over
arrays for `benchmarks/coverage.py`, which holds them against the program; and Korn and
Graubard's bounds, written from their paper. Samples are kept, broken and fixed units of
clusters, shape (n_samples, n_clusters, 3).
"""

from typing import NamedTuple

import numpy as np
from scipy import special

from compat_eval.core.arrays import Ints, Values

UNSEEN = 0.25
FEWEST_FREEDOM = 2.0
TINY = 1e-12


class Worth(NamedTuple):
    """What the units of each sample are worth, each of shape (n_samples,)."""

    n: Values
    freedom: Values


def bounds(drawn: Ints, alpha: float) -> Values:
    """Return the lower and upper bounds of the share that breaks, shape (2, n)."""
    broken, whole = drawn[..., 1].astype(float), drawn.sum(-1).astype(float)
    units, clusters = whole.sum(1), float(whole.shape[1])
    share = broken.sum(1) / units
    found = worth(broken, broken, whole)
    levels = special.ndtr(special.stdtrit(found.freedom, alpha))
    levels = np.where(np.isinf(found.freedom), alpha, levels)
    low, high = clopper_pearson(share * found.n, found.n, levels)
    one = clusters / units
    high = np.where(
        share > 0, np.maximum(high, clopper_pearson(one, clusters, alpha)[1]), high
    )
    few = clopper_pearson(clusters - one, clusters, alpha)[0]
    return np.stack([np.where(share < 1, np.minimum(low, few), low), high])


def sides_of_no_change(drawn: Ints, alpha: float) -> Values:
    """Return −1 or 1 as the bounds of the change lie below or above 0, shape (2, n)."""
    broken, fixed = (drawn[..., cell].astype(float) for cell in (1, 2))
    whole = drawn.sum(-1).astype(float)
    found = worth(fixed - broken, fixed + broken, whole)
    per_unit = found.n / whole.sum(1)
    b, c = broken.sum(1), fixed.sum(1)
    below, above = (
        np.where(
            less >= more,
            1.0,
            _student(
                special.betaincc(
                    less * per_unit + 1, np.maximum(more * per_unit, TINY), 0.5
                ),
                found.freedom,
            ),
        )
        for less, more in ((b, c), (c, b))
    )
    return np.stack(
        [np.where(below > alpha, -1.0, 1.0), np.where(above > alpha, 1, -1)]
    )


def _student(p: Values, freedom: Values) -> Values:
    return np.where(
        np.isinf(freedom), p, special.stdtr(np.minimum(freedom, 1e9), special.ndtri(p))
    )


def worth(gain: Values, square: Values, whole: Values) -> Worth:
    """Return what units of clusters are worth, shape (n_samples, n_clusters) each."""
    units, clusters = whole.sum(1), whole.shape[1]
    mean, squares = gain.sum(1) / units, square.sum(1) / units
    variance = squares - mean**2
    known = variance > TINY
    variance = np.where(known, variance, 1.0)
    size = (whole**3).sum(1) / (whole**2).sum(1)
    left = np.maximum(1 - whole / units[:, None], TINY)
    residual = (gain - mean[:, None] * whole) / left
    summed = (residual**2).sum(1)
    both = (gain != square).any(1)
    rarer = np.where(both, 1.0, np.maximum(mean, 1 - mean))
    seen = rarer**2 * UNSEEN * size
    alike = 1 + correlation(gain, square, whole) * (size - 1)
    effect = summed * (clusters - 1) / clusters + seen * alike
    effect = np.maximum(effect / (units * variance + seen), 1.0)
    fourth = squares - 4 * mean**2 + 6 * mean**2 * squares - 3 * mean**4
    excess = (residual**4).sum(1) / np.where(summed > 0, summed, 1.0) ** 2
    excess = np.where(summed > 0, excess - fourth * effect / (units * variance**2), 0)
    freedom = 1 / np.where(excess > 0, excess, 1.0)
    freedom = np.clip(freedom, FEWEST_FREEDOM, clusters - 1.0)
    freedom = np.where(excess > 0, freedom, clusters - 1.0)
    return Worth(
        n=np.where(known, units / effect, np.minimum(clusters, units)),
        freedom=np.where(known, freedom, np.inf),
    )


def correlation(gain: Values, square: Values, whole: Values) -> Values:
    """Return how alike units of a cluster may well be, shape (n_samples,)."""
    clusters = whole.shape[1]
    parts = np.stack([square - gain**2 / whole, whole, gain, square])
    total = parts.sum(-1)
    found = _fleiss_cuzick(total, clusters)
    left = _fleiss_cuzick(total[..., None] - parts, clusters - 1)
    left = np.where(np.isnan(left), found[:, None], left)
    off = left - left.mean(1, keepdims=True)
    spread = np.sqrt((off**2).sum(1) * (clusters - 1) / clusters)
    rare = (2 * total[3] <= total[1])[:, None]
    moved = np.where(rare, square, whole - square) > TINY
    flipping = np.where(moved, 1 - 1 / whole, 0.0).sum(1)
    most = np.minimum(np.maximum(found, 0) + spread, 1)
    most = np.where(np.isnan(most), 1.0, most)
    return (flipping * most + 1) / (flipping + 1)


def _fleiss_cuzick(parts: Values, clusters: int) -> Values:
    within, whole, gain, square = parts
    expected = (whole - clusters) * (square / whole - (gain / whole) ** 2)
    known = expected > TINY
    return np.where(known, 1 - within / np.where(known, expected, 1.0), np.nan)


def korn_graubard(drawn: Ints, alpha: float) -> Values:
    """Return Korn and Graubard's bounds of the share that breaks, shape (2, n).

    Clopper and Pearson's at the sample size divided by the design effect, times the
    squared ratio of Student's quantiles for units and for clusters; at the sample size
    itself where nothing or everything is broken.
    """
    broken, whole = drawn[..., 1].astype(float), drawn.sum(-1).astype(float)
    n, clusters = whole.sum(1), whole.shape[1]
    share = broken.sum(1) / n
    squares = ((broken - share[:, None] * whole) ** 2).sum(1) / n**2
    variance = squares * clusters / (clusters - 1)
    ratio = special.stdtrit(n - 1, alpha) / special.stdtrit(clusters - 1.0, alpha)
    known = (share > 0) & (share < 1) & (variance > 0)
    size = share * (1 - share) / np.where(known, variance, 1.0) * ratio**2
    size = np.where(known, np.minimum(size, n), n)
    return clopper_pearson(share * size, size, alpha)


def clopper_pearson(
    k: Values | float, n: Values | float, alpha: Values | float
) -> Values:
    """Return the bounds of k of n at a level, shape (2, ...)."""
    k, n, alpha = (np.asarray(x, float) for x in (k, n, alpha))
    low = special.betaincinv(np.where(k > 0, k, 1.0), n - k + 1, alpha)
    rest = np.where(k < n, n - k, 1.0)
    high = special.betaincinv(k + 1, rest, 1 - alpha)
    return np.stack([np.where(k > 0, low, 0.0), np.where(k < n, high, 1.0)])
