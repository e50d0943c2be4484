"""How much a number would move with one more of some cluster (delta method)."""

from collections.abc import Callable

import numpy as np

from compat_eval.core.arrays import Rows, Values
from compat_eval.core.sums import product

_STEP = 1e-6
_MOST_CELLS = 4_000_000


def gradient(value: Callable[[Rows], Values], totals: Rows) -> Values:
    """Return the derivative of a function of totals by each column.

    Central differences, shape (..., n_columns); a column that the value does not
    depend on gives 0, also where it is nan.

    Examples:
        >>> half = lambda totals: totals[..., 0] / totals[..., 1]
        >>> gradient(half, np.array([1.0, 2.0])).round(6).tolist()
        [0.5, -0.25]

    """
    n = totals.shape[-1]
    steps = _STEP * np.maximum(np.abs(np.nan_to_num(totals)), 1.0)
    some = max(1, _MOST_CELLS // max(1, totals.size))  # Columns at a time.
    slopes = np.empty(np.shape(totals))
    for start in range(0, n, some):
        at = slice(start, min(start + some, n))
        step = steps[..., at]
        moved = step[..., None] * np.eye(at.stop - start, n, k=start)
        up = value(totals[..., None, :] + moved)
        down = value(totals[..., None, :] - moved)
        slopes[..., at] = (up - down) / (2 * step)
    return np.where(np.isnan(totals), 0.0, slopes)


def jacobian(values: Callable[[Rows], Values], totals: Rows) -> Rows:
    """Return the derivative of each of several numbers, shape (n_values, n_columns)."""

    def one(at: int) -> Values:
        return gradient(lambda rows: values(rows)[..., at], totals)

    return np.stack([one(at) for at in range(len(values(totals)))])


def standard_error(influence: Values, times: Values | None = None) -> float:
    """Return the standard error of a sum of clusters' influences.

    Args:
        influence: Of each (distinct) cluster, shape (n,).
        times: How many clusters have it; once each where absent.

    """
    n = float(len(influence) if times is None else times.sum())
    if n <= 1:
        return float("inf")
    mean = float(influence.sum() if times is None else product(times, influence)) / n
    centred = influence - mean
    counted = centred if times is None else centred * times
    return float(np.sqrt(product(counted, centred) * n / (n - 1)))


def acceleration(influence: Values, times: Values | None = None) -> float:
    """Return a sixth of the skewness of clusters' influences over √n (Efron's a)."""
    times = np.ones(len(influence)) if times is None else times
    centred = influence - float(product(times, influence)) / float(times.sum())
    squares = float(product(times, centred**2))
    if squares <= 0:
        return 0.0
    return float(product(times, centred**3) / (6 * squares**1.5))


def moving_alike(influence: Values, times: Values) -> float:
    """Return how many clusters carry a number, were they to move it alike.

    Fewer than there are where a few carry most of it, such as those of a rare class.
    """
    n = float(times.sum())
    centred = influence - float(product(times, influence)) / n
    fourth = float(product(times, centred**4))
    return float(product(times, centred**2)) ** 2 / fourth if fourth > 0 else n
