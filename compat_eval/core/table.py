"""Arrow tables with unique ids, the base of examples and predictions."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.core.errors import CoverageError, DataError, some


@dataclass(frozen=True, slots=True)
class Keyed:
    """An Arrow table whose `id` column is a set: strings, none missing, none twice.

    Raises:
        DataError: `id` is absent, not of strings, or null somewhere.
        CoverageError: An id is repeated.

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
            occur = "ids occur" if len(repeated) > 1 else "id occurs"
            raise CoverageError(
                f"{len(repeated)} {occur} more than once ({some(repeated)}); every "
                "example needs an id of its own"
            )

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
        return np.asarray(pc.fill_null(column, np.nan), np.float64)

    def take(self, rows: Ints | Bools) -> Self:
        """Return the rows at these (different) positions, or where a mask is true."""
        if rows.dtype == np.bool_:
            return self._trusted(self.table.filter(pa.array(rows)))
        return self._trusted(self.table.take(pa.array(rows)))

    def with_column(self, name: str, values: pa.Array | pa.ChunkedArray) -> Self:
        """Return a copy in which the column is set or replaced."""
        if name in self.table.column_names:
            at = self.table.column_names.index(name)
            return self._trusted(self.table.set_column(at, name, values))
        return self._trusted(self.table.append_column(name, values))

    def without(self, columns: Collection[str]) -> Self:
        """Return the table without some columns, where it has them; never `id`."""
        dropped = [name for name in self.table.column_names if name in columns]
        return self._trusted(self.table.drop_columns(dropped)) if dropped else self

    @classmethod
    def sharing(cls, other: "Keyed", columns: Mapping[str, pa.ChunkedArray]) -> Self:
        """Return columns beside the ids of another table, which are checked already."""
        named = {"id": other.ids, **columns}
        return cls._trusted(pa.table(named))

    @classmethod
    def _trusted(cls, table: pa.Table) -> Self:
        # Rows of a set are a set: checking a million ids again tells nothing new.
        keyed = object.__new__(cls)
        object.__setattr__(keyed, "table", table)
        return keyed


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
    if wanted is among or wanted.equals(among):
        return np.arange(len(wanted), dtype=np.int64)
    found = pc.index_in(wanted, value_set=among)
    return np.asarray(pc.fill_null(found, -1), np.int64)


def table_digest(table: pa.Table) -> str:
    """Return the SHA-256 of a table's columns, however its rows are chunked."""
    plain = table.combine_chunks().replace_schema_metadata(None)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, plain.schema) as stream:
        stream.write_table(plain)
    return hashlib.sha256(sink.getvalue()).hexdigest()


def columns_differ(one: pa.ChunkedArray, other: pa.ChunkedArray) -> Bools:
    """Return where two columns differ; two nulls are the same."""
    # Arrow compares no nested values, nor those of two kinds.
    if _are_lists_of_texts(one) and one.type == other.type:
        return _lists_differ(one.combine_chunks(), other.combine_chunks())
    if pa.types.is_nested(one.type) or pa.types.is_nested(other.type):
        pairs = zip(one.to_pylist(), other.to_pylist(), strict=True)
        return np.fromiter((a != b for a, b in pairs), np.bool_, len(one))
    neither = pc.and_(pc.is_null(one), pc.is_null(other))
    return ~(bools(pc.equal(one, other)) | bools(neither))


def _are_lists_of_texts(column: pa.ChunkedArray) -> bool:
    kind = column.type
    return bool(pa.types.is_list(kind) and pa.types.is_string(kind.value_type))


def _lists_differ(one: pa.ListArray, other: pa.ListArray) -> Bools:
    """Return where two columns of lists of texts differ: long rankings, mostly."""
    sizes = [
        np.asarray(pc.fill_null(pc.list_value_length(lists), -1), np.int64)
        for lists in (one, other)
    ]
    found = np.asarray(sizes[0] != sizes[1], np.bool_)
    alike = np.flatnonzero(~found & (sizes[0] > 0))
    rows = pa.array(alike)
    left, right = one.take(rows).flatten(), other.take(rows).flatten()
    same = pc.equal(left, right)
    if left.null_count or right.null_count:
        neither = pc.and_(pc.is_null(left), pc.is_null(right))
        same = pc.or_(pc.fill_null(same, False), neither)  # noqa: FBT003
    owners = np.repeat(alike, sizes[0][alike])
    found[owners[~np.asarray(same, np.bool_)]] = True
    return found


def bools(mask: pa.ChunkedArray) -> Bools:
    """Return a boolean column as numpy; null is false."""
    return np.asarray(pc.fill_null(mask, False), np.bool_)  # noqa: FBT003
