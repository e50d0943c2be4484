"""A row of sums for each example, stored once for all examples that share it."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from compat_eval.core.arrays import Bools, Ints, Rows, Values

_MOST_CELLS = 100_000_000
_MOST_COLUMNS = 7_500
_MOST_CODES = 2**62


@dataclass(frozen=True, slots=True)
class CodedRows:
    """Rows, shape (n_examples, n_columns), as codes into the distinct ones.

    A million classified examples have few distinct rows (one for each pair of
    gold and predicted label), so sums and resampling cost what the distinct
    rows cost.

    Attributes:
        codes: Shape (n_examples,); which distinct row each example has.
        distinct: Shape (n_distinct, n_columns). A sparse matrix where an array would
            be too large (`ones`): such rows can be summed, but not resampled.

    """

    codes: Ints
    distinct: Rows

    @classmethod
    def plain(cls, rows: Rows) -> "CodedRows":
        """Return rows that are kept one for each example."""
        return cls(np.arange(len(rows), dtype=np.int64), np.asarray(rows, np.float64))

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def is_sparse(self) -> bool:
        """Whether the distinct rows are too large for an array."""
        return not isinstance(self.distinct, np.ndarray)

    def dense(self) -> Rows:
        """Return the rows spelled out, shape (n_examples, n_columns)."""
        return self.distinct[self.codes]

    def total(self, weights: Values | None = None) -> Rows:
        """Return the summed row, shape (n_columns,), weighted where asked.

        Examples:
            >>> rows = CodedRows(np.array([0, 1, 1]), np.eye(2))
            >>> rows.total().tolist()
            [1.0, 2.0]

        """
        counts = np.bincount(
            self.codes, weights=weights, minlength=self.distinct.shape[0]
        )
        counted = np.asarray(counts, np.float64)
        if self.is_sparse:
            return np.asarray(counted @ self.distinct)
        return product(counted, self.distinct)

    def take(self, rows: Bools | Ints) -> "CodedRows":
        """Return the rows of some examples."""
        return CodedRows(self.codes[rows], self.distinct)


def ones(places: Ints, *, n_columns: int) -> Rows:
    """Return rows of zeros with ones in some columns.

    Args:
        places: The columns of each row's ones, shape (n_rows, n_ones); -1 for none.
        n_columns: How wide the rows are.

    """
    n_rows = len(places)
    at = np.repeat(np.arange(n_rows), places.shape[1])[places.ravel() >= 0]
    columns = places.ravel()[places.ravel() >= 0]
    if n_rows * n_columns > _MOST_CELLS or n_columns > _MOST_COLUMNS:
        from scipy.sparse import csr_array  # noqa: PLC0415 - slow, and rarely needed

        cells = (np.ones(len(at)), (at, columns))
        return cast("Rows", csr_array(cells, shape=(n_rows, n_columns)))
    found = np.zeros((n_rows, n_columns))
    found[at, columns] = 1.0
    return found


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


def product(left: NDArray[Any], right: NDArray[Any]) -> Values:
    """Return the matrix product of shapes (..., n) and (n,) or (n, m).

    Whole numbers add up to the same in any order, so that BLAS may have them. The order
    of other sums must not be its choice.

    Examples:
        >>> product(np.array([1, 2]), np.array([[0.5], [0.25]])).tolist()
        [1.0]

    """
    if _whole(left) and _whole(right):
        return np.asarray(left @ right, np.float64)
    added = "...i,i->..." if right.ndim == 1 else "...i,ij->...j"
    return np.asarray(np.einsum(added, left, right), np.float64)


def _whole(numbers: NDArray[Any]) -> bool:
    return numbers.dtype.kind in "iub" or bool(np.all(numbers == np.floor(numbers)))
