"""How far an update moved the distribution of scores.

The statistic of Kolmogorov and Smirnov: the largest distance between two distribution
functions. It is 0 for equal distributions and 1 where they do not overlap, so that a
fixed threshold between them changes its meaning for everything.
"""

import numpy as np

from compat_eval.core.arrays import Values


def ks_distance(old: Values, new: Values) -> float:
    """Return the largest distance between two distribution functions; nan if empty.

    Examples:
        >>> ks_distance(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.3, 0.4, 0.5, 0.6]))
        0.5

    """
    if not len(old) or not len(new):
        return float("nan")
    at = np.concatenate([old, new])
    below = [np.searchsorted(np.sort(s), at, "right") / len(s) for s in (old, new)]
    return float(np.abs(below[0] - below[1]).max())
