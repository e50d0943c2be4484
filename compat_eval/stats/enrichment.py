"""Is something more frequent inside a group than chance would have it?"""

import math

import numpy as np
from scipy import special

from compat_eval.core.arrays import Ints, Values

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
