"""A row of sums for each example, stored once for all examples that share it."""

from dataclasses import dataclass

import numpy as np

from compat_eval.core.arrays import Bools, Ints, Rows, Values


@dataclass(frozen=True, slots=True)
class CodedRows:
    """Rows, shape (n_examples, n_columns), as codes into the distinct ones.

    A million classified examples have few distinct rows (one for each pair of
    gold and predicted label), so sums and resampling cost what the distinct
    rows cost.

    Attributes:
        codes: Shape (n_examples,); which distinct row each example has.
        distinct: Shape (n_distinct, n_columns).

    """

    codes: Ints
    distinct: Rows

    @classmethod
    def plain(cls, rows: Rows) -> "CodedRows":
        """Return rows that are kept one for each example."""
        return cls(np.arange(len(rows), dtype=np.int64), np.asarray(rows, np.float64))

    def __len__(self) -> int:
        return len(self.codes)

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
        counts = np.bincount(self.codes, weights=weights, minlength=len(self.distinct))
        return np.asarray(counts, np.float64) @ self.distinct

    def take(self, rows: Bools | Ints) -> "CodedRows":
        """Return the rows of some examples."""
        return CodedRows(self.codes[rows], self.distinct)
