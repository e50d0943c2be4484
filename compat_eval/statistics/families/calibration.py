"""Expected calibration error: how far what is said lies from what is right.

Source:
    Guo et al., "On Calibration of Modern Neural Networks", ICML 2017,
    https://arxiv.org/abs/1706.04599, eq. 3 (M bins of equal width).
"""

from collections.abc import Callable

import numpy as np

from compat_eval.core.arrays import Bools, Rows, Values
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.rows import CodedRows
from compat_eval.core.statistic import AbsoluteSum, Statistic

N_BINS = 10


def calibration_error(right: Callable[[Examples, Predictions], Bools]) -> Statistic:
    """Return the expected calibration error of the top score, over ten bins.

    Args:
        right: Which answers are right.

    """

    def rows(asked: Examples, answered: Predictions) -> CodedRows:
        scores = answered.numbers("score")
        return CodedRows.plain(binned(scores, right(asked, answered)))

    return Statistic(
        name="ece",
        title="Expected calibration error (ECE)",
        better="lower",
        rows=rows,
        value=calibration_error_value,
        description="expected calibration error of the top score, ten bins",
        interval=AbsoluteSum(terms=gaps),
        needs=("score",),
        ends=(0.0, 1.0),
    )


def binned(score: Values, right: Bools) -> Rows:
    """Return whether an example is scored, and by bin its score minus its correctness.

    Shape (n_examples, 1 + N_BINS): the error needs no more of a bin than this sum.
    A row of zeros where there is no score. Bins are (low, high], the first includes
    0.
    """
    known = ~np.isnan(score)
    safe = np.where(known, score, 0.0)
    at = np.clip(np.ceil(safe * N_BINS).astype(np.int64) - 1, 0, N_BINS - 1)
    rows = np.zeros((len(score), 1 + N_BINS))
    rows[:, 0] = known
    rows[np.arange(len(score)), 1 + at] = safe - (right & known)
    return rows


def calibration_error_value(totals: Rows) -> Values:
    """Return the error of summed rows, shape (..., 1 + N_BINS) to (...); in [0, 1].

    Undefined (nan) where nothing was scored.
    """
    return np.asarray(np.abs(gaps(totals)).sum(axis=-1))


def gaps(totals: Rows) -> Values:
    """Return each bin's part of the error, with its sign; shape (..., N_BINS)."""
    n, summed = totals[..., :1], totals[..., 1:]
    undefined = np.full(np.shape(summed), np.nan)
    return np.asarray(np.divide(summed, n, out=undefined, where=n > 0))
