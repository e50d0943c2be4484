"""The bootstrap-t: replicates of a number, each on the scale of its own error.

Where clusters differ much in size or difficulty a number and its standard error move
together, and percentiles of the number alone miss too often on one side. Quantiles of
the studentised number do not.

Sources:
    Efron, "Nonparametric standard errors and confidence intervals", Canadian Journal
    of Statistics 1981. Hall, "Theoretical comparison of bootstrap confidence
    intervals", Annals of Statistics 1988.
"""

from collections.abc import Callable

import numpy as np

from compat_eval.core.arrays import Ints, Rows, Values
from compat_eval.core.sums import product
from compat_eval.statistics.intervals.linear import gradient, standard_error
from compat_eval.statistics.resampling import draws

MOST_COLUMNS = 32


def studentised(
    value: Callable[[Rows], Values],
    times: Ints,
    rows: Rows,
    rng: np.random.Generator,
) -> Values:
    """Return what the number could have been, shape (n_replicates,).

    It is value − error · (replicate − value) / its error: quantiles of these are the
    bounds of the bootstrap-t. Nan where a replicate is undefined.
    """
    totals = product(times, rows)
    number = float(value(totals))
    error = standard_error(
        product(rows, gradient(value, totals)), times.astype(np.float64)
    )
    parts = []
    for drawn in draws(times, rng):
        summed = product(drawn, rows)
        off = np.asarray(value(summed)) - number
        with np.errstate(divide="ignore", invalid="ignore"):
            t = off / _errors(value, drawn, rows, summed)
            t = np.where(off == 0, 0.0, t)
            parts.append(number - error * t)
    return np.concatenate(parts)


def _errors(
    value: Callable[[Rows], Values], drawn: Ints, rows: Rows, totals: Rows
) -> Values:
    """Return the standard error of each replicate, by the delta method."""
    influence = product(gradient(value, totals), rows.T)
    n = drawn.sum(axis=1, keepdims=True)
    mean = (drawn * influence).sum(axis=1, keepdims=True) / n
    squares = (drawn * (influence - mean) ** 2).sum(axis=1)
    return np.asarray(np.sqrt(squares * (n / (n - 1))[:, 0]))
