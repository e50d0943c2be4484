"""Equal rows, kept once."""

import numpy as np

from compat_eval.core.arrays import Ints, Rows

_MOST_CODES = 2**62


def distinct_rows(rows: Rows) -> tuple[Rows, Ints]:
    """Return the distinct rows and how often each occurs.

    A column that is nan throughout stays so. Order depends on the rows alone.

    Examples:
        >>> rows, times = distinct_rows(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]))
        >>> rows.tolist(), times.tolist()
        ([[0.0, 1.0], [1.0, 0.0]], [1, 2])

    """
    codes = _codes(rows)
    if codes is None:
        distinct, times = np.unique(rows, axis=0, return_counts=True, equal_nan=True)
        return distinct, times
    _, first, times = np.unique(codes, return_index=True, return_counts=True)
    return rows[first], times


def _codes(rows: Rows) -> Ints | None:
    """Return one whole number for each row, or `None` where they are not whole."""
    known = rows[:, ~np.isnan(rows).any(axis=0)]
    if not known.size or np.any(known != np.floor(known)) or known.min() < 0:
        return None
    sizes = known.max(axis=0) + 1
    if float(np.prod(sizes)) >= _MOST_CODES:
        return None
    code = np.zeros(len(rows), np.int64)
    for column, size in zip(known.T, sizes, strict=True):
        code = code * int(size) + column.astype(np.int64)
    return code
