"""The answers: what one model said, by example id."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Bools
from compat_eval.core.table import Keyed, bools, columns_differ

CORRECT_PREFIX = "correct."
MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Predictions(Keyed):
    """Predictions of one model, one example a row.

    Columns: `id` (string) and those of the answers. Where there is a `prediction`
    (string for labels, or what the task kind reads; null where the model gave no
    answer, which is wrong), it is the answer and others tell more of it; answers of a
    language model are `nll` and `n_tokens` alone. Optionally `score` (float64 in
    [0, 1]: the model's probability for its answer), `margin` (float64 ≥ 0: score minus
    the runner-up's), `nll` (float64, nats), `n_tokens` (int64), `correct.<level>`
    (bool: graded by whoever made the file, and then believed) and `error` (string: why
    there is no answer; null where there is one).
    """

    def missing(self) -> Bools:
        """Return which rows stand for an example that this side lacks."""
        if MISSING not in self:
            return np.zeros(len(self), np.bool_)
        return bools(self.column(MISSING))

    @property
    def answer_columns(self) -> tuple[str, ...]:
        """The columns that are the answer, rather than telling more of one."""
        if "prediction" in self:
            return ("prediction",)
        return tuple(
            name
            for name in self.table.column_names
            if name not in ("id", "score", "margin", MISSING, "error")
            and not name.startswith(CORRECT_PREFIX)
        )

    def answered(self) -> Bools:
        """Return which examples have an answer; shape (n_examples,)."""
        columns = self.answer_columns
        found = np.full(len(self), bool(columns))
        for name in columns:
            found &= _told(self.column(name))
        return found

    def differs(self, other: "Predictions") -> Bools:
        """Return where two models' answers differ, row by row; shape (n_examples,)."""
        found = self.answered() != other.answered()
        for name in self.answer_columns:
            if name in other:
                found |= columns_differ(self.column(name), other.column(name))
        return np.asarray(found, np.bool_)

    def graded_levels(self) -> list[str]:
        """Return the levels that whoever made the answers has graded."""
        return [
            name.removeprefix(CORRECT_PREFIX)
            for name in self.table.column_names
            if name.startswith(CORRECT_PREFIX)
        ]

    def without_grades(self) -> Self:
        """Leave out all grades, so that the task gives them."""
        return self.without([CORRECT_PREFIX + x for x in self.graded_levels()])

    def errors(self) -> Bools:
        """Return which examples made the model raise; shape (n_examples,)."""
        if "error" not in self:
            return np.zeros(len(self), np.bool_)
        return bools(pc.is_valid(self.column("error")))


def _told(column: pa.ChunkedArray) -> Bools:
    """Return which cells hold anything; of several samples one is enough."""
    found = bools(pc.is_valid(column))
    if not pa.types.is_list(column.type) or not column.null_count < len(column):
        return found
    values = pa.concat_arrays([chunk.flatten() for chunk in column.chunks])
    if not values.null_count:
        return found
    sizes = np.asarray(pc.fill_null(pc.list_value_length(column), 0), np.int64)
    owner = np.repeat(np.arange(len(column)), sizes)
    given = np.bincount(owner[~np.asarray(values.is_null())], minlength=len(column))
    return np.asarray(found & ((given > 0) | (sizes == 0)), np.bool_)
