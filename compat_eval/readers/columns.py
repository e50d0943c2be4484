"""A prediction file's columns, checked and brought to their types."""

from collections.abc import Collection, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import DataError, UsageError, some
from compat_eval.suite.data.columns import (
    as_text,
    as_weights,
    nan_is_null,
    pick,
    refuse_rows,
)
from compat_eval.suite.yaml.schema import Column

ALIASES = {"input": ("text",)}
_BEYOND_COUNTING = 2.0**53
_TRUE = ("true", "1", "1.0", "yes", "c", "correct")
_FALSE = ("false", "0", "0.0", "no", "i", "incorrect", "n")
_NO_ERROR = ("false", "none", "null", "nan", "0", "no")


def renamed(
    table: pa.Table,
    fields: Mapping[str, str],
    *,
    elsewhere: Collection[str] = (),
    shown: str,
) -> pa.Table:
    """Give columns our names, as `fields` says.

    Args:
        table: What the file holds.
        fields: Our name to the file's: a name, a path into objects such as
            `answer.label`, or a position; to nothing where a column is left out.
        elsewhere: Our names that another file of the comparison may have instead.
        shown: What messages call the file.

    Raises:
        UsageError: A column that `fields` names is not there.

    """
    names = table.column_names
    found = {}
    for ours, theirs in fields.items():
        values = _named(table, theirs, shown) if theirs else None
        if values is not None:
            found[ours] = values
        elif theirs and not (ours in elsewhere and (ours != "id" or "id" in names)):
            raise UsageError(
                f"{shown}: --fields says {ours}={theirs}, but there is no column "
                f"{theirs!r}; there are {some(map(repr, names), limit=12)}"
            )
    left_out = {ours for ours, theirs in fields.items() if not theirs}
    for name in names:
        if name not in found.keys() | left_out | {*fields.values()}:
            found[name] = table[name]
    return pa.table(found)


def aliased(table: pa.Table, fields: Mapping[str, str]) -> pa.Table:
    """Give columns our names by well-known aliases, where `fields` is silent."""
    names = list(table.column_names)
    for ours, aliases in ALIASES.items():
        for alias in aliases:
            if ours not in names and ours not in fields and alias in names:
                names[names.index(alias)] = ours
    return table.rename_columns(names)


def _named(table: pa.Table, name: str, shown: str) -> pa.ChunkedArray | None:
    names = table.column_names
    if name in names:
        return table[name]
    if name.isdecimal() and int(name) < len(names):
        return table.column(int(name))
    first, dot, _ = name.partition(".")
    if dot and first in names:
        return pick(table, Column(column=name), what=name, shown=shown)
    return None


def missing(table: pa.Table, name: str, *, shown: str) -> DataError:
    """Return the error that names the columns there are, and the likely cause."""
    names = table.column_names
    told = f"{shown}: no column {name!r} among {some(map(repr, names), limit=12)}"
    if name in {one.strip() for one in names}:
        return DataError(f"{told}; names have blanks around them: add --read strip=yes")
    for one in names:
        if one.strip().casefold() == name:
            return DataError(f"{told}; if it is {one!r}, add --fields {name}={one}")
    if name == "id" and names and not names[0]:
        return DataError(
            f"{told}; the first column has no name. If it identifies the examples, as "
            "an index does, add --fields id=0"
        )
    if name == "id":
        return DataError(
            f"{told}; name the column that identifies an example with --fields "
            "id=COLUMN (a text that no two rows share will do)"
        )
    return DataError(f"{told}; name it with --fields {name}=COLUMN")


def text(table: pa.Table, name: str, *, shown: str) -> pa.ChunkedArray:
    """Return a column as strings; an empty cell and NaN are no value.

    `None` and `null` are text: they may be labels. (In JSON, null is no text.)

    Raises:
        DataError: It holds lists or objects.

    """
    values = as_text(table[name], what=name, shown=shown)
    values = pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)
    return values if name == "input" else nan_is_null(values)


def ids(table: pa.Table, *, shown: str) -> pa.ChunkedArray:
    """Return the ids, as the file writes them.

    Raises:
        DataError: There is no column of them, or a row without one.

    """
    if "id" not in table.column_names:
        raise missing(table, "id", shown=shown)
    raw = table["id"]
    if pa.types.is_floating(raw.type):
        large = pc.greater_equal(pc.abs(raw), _BEYOND_COUNTING)
        refuse_rows(
            pc.fill_null(large, False),  # noqa: FBT003
            "id is a float too large to keep its digits; write ids as text",
            values=raw,
            shown=shown,
        )
    found = text(table, "id", shown=shown)
    refuse_rows(pc.is_null(found), "every row needs an id", values=None, shown=shown)
    return found


def errors(table: pa.Table, *, shown: str) -> pa.ChunkedArray:
    """Return what the model raised; null where it says that there was no error."""
    values = text(table, "error", shown=shown)
    none = pc.is_in(pc.utf8_lower(values), value_set=pa.array(_NO_ERROR))
    return pc.if_else(none, pa.scalar(None, pa.string()), values)


def numbers(table: pa.Table, name: str, *, shown: str) -> pa.ChunkedArray:
    """Return a column of finite numbers; null where there is none, or NaN.

    Raises:
        DataError: One is infinite or no number; or a `score` is no
            probability.

    """
    raw = table[name]
    if pa.types.is_string(raw.type):
        raw = pc.if_else(pc.equal(raw, ""), pa.scalar(None, pa.string()), raw)
    try:
        values = raw.cast(pa.float64())
    except pa.ArrowException as error:
        raise DataError(
            f"{shown}: {name} must be a number: {error}. {_left_out(name)}"
        ) from error
    values = pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)
    bad = pc.invert(pc.fill_null(pc.is_finite(values), True))  # noqa: FBT003
    refuse_rows(
        bad,
        f"{name} must be a finite number; {_left_out(name)}",
        values=raw,
        shown=shown,
    )
    if name == "score":
        outside = pc.or_(pc.less(values, 0.0), pc.greater(values, 1.0))
        refuse_rows(
            pc.fill_null(outside, False),  # noqa: FBT003
            "score must be the probability of the answer, in [0, 1]; "
            f"{_left_out(name)}",
            values=raw,
            shown=shown,
        )
    return values


def _left_out(name: str) -> str:
    return f"to compare without it, add --fields {name}="


def counts(table: pa.Table, name: str, *, shown: str) -> pa.ChunkedArray:
    """Return a column of whole numbers from 0; null where there is none.

    Raises:
        DataError: One is negative, no whole number, or beyond counting.

    """
    values = numbers(table, name, shown=shown)
    whole = pc.and_(
        pc.equal(values, pc.floor(values)),
        pc.and_(pc.greater_equal(values, 0.0), pc.less(values, _BEYOND_COUNTING)),
    )
    refuse_rows(
        pc.invert(pc.fill_null(whole, True)),  # noqa: FBT003
        f"{name} must be a whole number from 0",
        values=table[name],
        shown=shown,
    )
    return values.cast(pa.int64())


def weights(table: pa.Table, *, shown: str) -> pa.ChunkedArray:
    """Return positive weights.

    Raises:
        DataError: One is missing, or not positive.

    """
    return as_weights(numbers(table, "weight", shown=shown), shown=shown)


def truths(table: pa.Table, name: str, *, shown: str) -> tuple[pa.ChunkedArray, int]:
    """Return a column of true and false, and how many values are missing: false.

    Raises:
        DataError: A value is neither.

    """
    written = pc.utf8_lower(text(table, name, shown=shown))
    yes = pc.is_in(written, value_set=pa.array(_TRUE))
    no = pc.is_in(written, value_set=pa.array((*_FALSE, None)))
    refuse_rows(
        pc.invert(pc.or_(yes, no)),
        f"{name} must be true or false (also 1 and 0, yes and no, C and I)",
        values=table[name],
        shown=shown,
    )
    return yes, int(written.null_count)
