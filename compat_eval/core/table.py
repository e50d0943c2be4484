"""Columns by example id: what examples and predictions are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.core.errors import DataError, some


@dataclass(frozen=True, slots=True)
class Keyed:
    """An Arrow table whose `id` column is a set: strings, none missing, none twice.

    Raises:
        DataError: `id` is absent, not of strings, null somewhere, or repeated.

    """

    table: pa.Table

    def __post_init__(self) -> None:
        if "id" not in self.table.column_names:
            raise DataError(
                f"no column 'id' among {', '.join(self.table.column_names) or 'none'}"
            )
        ids = self.table["id"]
        if not (pa.types.is_string(ids.type) or pa.types.is_large_string(ids.type)):
            raise DataError(f"column 'id' must hold strings, got {ids.type}")
        if ids.null_count:
            rows = np.flatnonzero(ids.is_null().to_numpy())
            raise DataError(f"{ids.null_count} rows have no id (rows {some(rows)})")
        repeated = repeats(ids)
        if repeated:
            raise DataError(f"{len(repeated)} ids occur more than once: {some(repeated)}")

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __contains__(self, column: object) -> bool:
        return column in self.table.column_names

    @property
    def ids(self) -> pa.ChunkedArray:
        """The ids, as strings."""
        return self.table["id"]

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column.

        Raises:
            DataError: There is no column of that name.

        """
        if name not in self.table.column_names:
            raise DataError(
                f"no column {name!r}; there are {', '.join(self.table.column_names)}"
            )
        return self.table[name]

    def numbers(self, name: str) -> Values:
        """Return a numeric column as float64, nan where it is null."""
        column = self.column(name).cast(pa.float64())
        return pc.fill_null(column, np.nan).to_numpy()

    def take(self, rows: Ints | Bools | Sequence[int]) -> Self:
        """Return the rows at these positions, or where this mask is true."""
        rows = np.asarray(rows)
        if rows.dtype == np.bool_:
            return type(self)(self.table.filter(pa.array(rows)))
        return type(self)(self.table.take(pa.array(rows, pa.int64())))

    def with_column(self, name: str, values: pa.Array | pa.ChunkedArray) -> Self:
        """Return a copy in which the column is set or replaced."""
        if name in self.table.column_names:
            at = self.table.column_names.index(name)
            return type(self)(self.table.set_column(at, name, values))
        return type(self)(self.table.append_column(name, values))


def repeats(ids: pa.ChunkedArray) -> list[str]:
    """Return the values that occur more than once, in order of first appearance."""
    if pc.count_distinct(ids).as_py() == len(ids):
        return []
    counts = pc.value_counts(ids)
    often = pc.greater(counts.field("counts"), 1)
    return list(counts.field("values").filter(often).to_pylist())


def positions(wanted: pa.ChunkedArray, among: pa.ChunkedArray) -> Ints:
    """Return where each wanted id stands among others, -1 where it does not.

    Examples:
        >>> a, b = pa.chunked_array([["x", "y"]]), pa.chunked_array([["y", "z"]])
        >>> positions(a, b).tolist()
        [-1, 0]

    """
    found = pc.index_in(wanted, value_set=among)
    return pc.fill_null(found, -1).to_numpy().astype(np.int64)
