"""Is something more frequent inside a group than chance would have it?

Sources:
    Fisher, "The Design of Experiments", 1935. Rao and Scott, "A simple method for the
    analysis of clustered binary data", Biometrics 1992 (counts divided by the design
    effect of their own difference).
"""

import math

import numpy as np
from scipy import special

from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.statistics.intervals.proportion import p_at_most

_DEVIATIONS, _STEPS = 12, 40


def hypergeometric_p(found: Ints, drawn: Ints, marked: int, whole: int) -> Values:
    """Return the chance of as many or more marked ones in a draw.

    Fisher's exact test, one-sided.

    Args:
        found: How many of the drawn ones are marked, shape (n_draws,).
        drawn: How many were drawn without putting back, shape (n_draws,).
        marked: How many are marked in all.
        whole: How many there are in all.

    Examples:
        >>> hypergeometric_p(np.array([2]), np.array([2]), 2, 4).round(4).tolist()
        [0.1667]

    """
    return np.array(
        [
            _tail(int(k), int(n), marked, whole)
            for k, n in zip(found, drawn, strict=True)
        ]
    )


def clustered_p(
    inside: Bools, marked: Bools, clusters: Ints, weights: Values | None = None
) -> float:
    """Return the chance of as many marked ones inside, where clusters are drawn.

    Of the marked ones a share lies inside that chance makes as large as the group. Its
    variance is that of the clusters' parts of the difference, about 0, so that few
    clusters can never look sure. The binomial tail is taken at the counts that have
    this variance, and never at more than there are.

    Args:
        inside: Which examples are in the group, shape (n_examples,).
        marked: Which examples are marked.
        clusters: A number of the cluster of each example.
        weights: A positive weight of each example.

    """
    weight = np.ones(len(marked)) if weights is None else weights
    whole = float(weight.sum())
    share, rate = (
        float(weight[inside].sum()) / whole,
        float(weight[marked].sum()) / whole,
    )
    if not 0 < share < 1 or not 0 < rate < 1:
        return 1.0
    parts = weight * (inside - share) * (marked - rate)
    _, group = np.unique(clusters, return_inverse=True)
    held = np.bincount(group, weights=weight) / whole
    if held.max() >= 1:
        return 1.0
    # Each cluster beside the share and the rate of all others.
    summed = np.bincount(group, weights=parts) / (1 - held) ** 2
    variance = float((summed**2).sum())
    drawn = share * (1 - share)
    most = np.count_nonzero(marked) / (1 - rate)
    count = min((rate * whole) ** 2 * drawn / variance, most) if variance > 0 else 0.0
    found = float(weight[inside & marked].sum()) / (rate * whole)
    return float(p_at_most(found * count, count, share))


def _tail(found: int, drawn: int, marked: int, whole: int) -> float:
    first = max(found, drawn - (whole - marked), 0)
    counts = np.arange(first, _last(first, drawn, marked, whole) + 1)
    if not len(counts):
        return 0.0
    logs = (
        _log_choose(marked, counts)
        + _log_choose(whole - marked, drawn - counts)
        - _log_choose(whole, np.array(drawn))
    )
    top = logs.max()
    return float(min(1.0, np.exp(top) * np.exp(logs - top).sum()))


def _last(first: int, drawn: int, marked: int, whole: int) -> int:
    """Return the last count that adds anything to the tail.

    The distribution is log-concave: beyond its mean it falls at least as fast as
    from there, to less than exp(-70) within twelve standard deviations (and a few
    steps, where these are short).
    """
    share = marked / max(whole, 1)
    mean = drawn * share
    variance = mean * (1 - share) * (whole - drawn) / max(whole - 1, 1)
    beyond = max(first, mean) + _DEVIATIONS * math.sqrt(variance) + _STEPS
    return min(drawn, marked, math.ceil(beyond))


def _log_choose(n: int, k: Ints) -> Values:
    return np.asarray(
        special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    )
