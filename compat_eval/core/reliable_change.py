"""Which examples changed reliably, of which each side gave only a few samples.

The reliable change index of an example is the difference of its two shares of right
samples over the standard error of that difference. Samples are independent draws, so
the error of a share is binomial:

    RCI = (p_new − p_old) / sqrt(p (1 − p) (1/k_old + 1/k_new)),

p being the share of both together, as if nothing had changed. With few samples its
distribution is far from normal. So no example counts as changed unless |RCI| reaches
what samples of one and the same share reach with a chance of at most `alpha`, whatever
that share is (an unconditional exact test, of both directions together).

Sources:
    Jacobson and Truax, "Clinical significance", Journal of Consulting and Clinical
    Psychology 59(1), 1991 (the index).
    Cacioli, "Beyond the Mean: Within-Model Reliable Change Detection for LLM
    Evaluation", 2026, https://arxiv.org/abs/2604.27405 (items of two model versions;
    there one standard error for all items, from split halves, and |RCI| > 1.96).
    Suissa and Shuster, "Exact Unconditional Sample Sizes for the 2 × 2 Binomial Trial",
    Journal of the Royal Statistical Society A 148(4), 1985 (the exact test).
"""

import math
from functools import lru_cache

import numpy as np

from compat_eval.core.arrays import Ints, Values

_MOST_EXACT = 64
_SHARES = np.linspace(0.0, 0.5, 501)[1:]
_ROUNDING = 9


def change_index(old: Values, new: Values, k_old: Ints, k_new: Ints) -> Values:
    """Return the RCI of each example; 0 where both shares are the same.

    Args:
        old: Share of old's samples that are right, shape (n,); nan where unknown.
        new: Likewise new's.
        k_old: How many samples old gave.
        k_new: Likewise new.

    Examples:
        >>> k = np.array([10, 10])
        >>> change_index(np.array([0.8, 1.0]), np.array([0.3, 1.0]), k, k).round(2)
        array([-2.25,  0.  ])

    """
    together = (k_old * old + k_new * new) / np.maximum(k_old + k_new, 1)
    each = 1 / np.maximum(k_old, 1) + 1 / np.maximum(k_new, 1)
    error = np.sqrt(np.clip(together * (1 - together), 0, None) * each)
    difference = new - old
    found = np.zeros_like(difference)
    np.divide(difference, error, out=found, where=error > 0)
    return np.where(np.isnan(difference), np.nan, found)


def reliably_moved(
    old: Values, new: Values, k_old: Ints, k_new: Ints, *, alpha: float
) -> Ints:
    """Return −1 where an example fell reliably, 1 where it rose, else 0; shape (n,)."""
    index = change_index(old, new, k_old, k_new)
    limit = np.full(len(index), np.inf)
    for one, other in {*zip(k_old.tolist(), k_new.tolist(), strict=True)}:
        here = (k_old == one) & (k_new == other)
        limit[here] = critical_index(one, other, alpha)
    moved = np.round(np.abs(index), _ROUNDING) >= limit
    return np.where(moved, np.sign(index), 0).astype(np.int64)


@lru_cache(maxsize=1024)
def critical_index(k_old: int, k_new: int, alpha: float) -> float:
    """Return from which |RCI| on an example changed reliably.

    It is infinite where so few samples cannot show that.

    Examples:
        >>> critical_index(2, 2, 0.05), critical_index(10, 10, 0.05) > 1.96
        (inf, True)

    """
    if min(k_old, k_new) < 1:
        return math.inf
    if max(k_old, k_new) > _MOST_EXACT:
        return _normal_quantile(alpha)
    x, y = np.divmod(np.arange((k_old + 1) * (k_new + 1)), k_new + 1)
    sizes = np.full(len(x), k_old), np.full(len(x), k_new)
    index = np.round(np.abs(change_index(x / k_old, y / k_new, *sizes)), _ROUNDING)
    chances = _binomial(k_old)[:, x] * _binomial(k_new)[:, y]
    values = np.unique(index[index > 0])[::-1]
    limit = math.inf
    for value in values:
        if chances[:, index >= value].sum(axis=1).max() > alpha:
            break
        limit = float(value)
    return limit


def _binomial(k: int) -> Values:
    """Return the chance of each count, shape (n_shares, k + 1)."""
    counts = np.arange(k + 1)
    ways = np.array([math.comb(k, int(count)) for count in counts], np.float64)
    shares = _SHARES[:, None]
    return np.asarray(ways * shares**counts * (1 - shares) ** (k - counts))


def _normal_quantile(alpha: float) -> float:
    from statistics import NormalDist  # noqa: PLC0415 - only with very many samples

    return NormalDist().inv_cdf(1 - alpha / 2)
