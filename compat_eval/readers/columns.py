"""A prediction file's columns, checked and brought to their types."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import DataError, UsageError, some
from compat_eval.suite.columns import as_text, as_weights, refuse_rows

ALIASES = {"input": ("text",)}
_BEYOND_COUNTING = 2.0**53
_TRUE, _FALSE = ("true", "1", "1.0", "yes"), ("false", "0", "0.0", "no")


def renamed(table: pa.Table, fields: Mapping[str, str], *, shown: str) -> pa.Table:
    """Give columns our names: as `fields` says, and by well-known aliases.

    Raises:
        UsageError: A column that `fields` names is not there.

    """
    names = list(table.column_names)
    for ours, theirs in fields.items():
        if theirs not in names:
            raise UsageError(
                f"{shown}: --fields says {ours}={theirs}, but there is no column "
                f"{theirs!r}; there are {', '.join(map(repr, names))}"
            )
        if ours in names and ours != theirs:
            table = table.drop_columns(ours)
            names.remove(ours)
        names[names.index(theirs)] = ours
    for ours, aliases in ALIASES.items():
        for alias in aliases:
            if ours not in names and alias in names:
                names[names.index(alias)] = ours
    return table.rename_columns(names)


def text(table: pa.Table, name: str, *, shown: str) -> pa.ChunkedArray:
    """Return a column as strings; an empty cell is no value.

    Raises:
        DataError: It holds lists or objects.

    """
    values = as_text(table[name], what=name, shown=shown)
    return pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)


def ids(table: pa.Table, *, shown: str) -> pa.ChunkedArray:
    """Return the ids.

    Raises:
        DataError: There is no column of them, or a row without one.

    """
    if "id" not in table.column_names:
        raise DataError(
            f"{shown}: no column 'id' among {some(table.column_names, limit=12)}; name "
            "the column that identifies an example with --fields id=COLUMN"
        )
    found = text(table, "id", shown=shown)
    refuse_rows(pc.is_null(found), "every row needs an id", values=None, shown=shown)
    return found


def numbers(table: pa.Table, name: str, *, shown: str) -> pa.ChunkedArray:
    """Return a column of finite numbers; null where there is none.

    Raises:
        DataError: One is NaN, infinite, or no number; or a `score` is no
            probability.

    """
    raw = table[name]
    if pa.types.is_string(raw.type):
        raw = text(table, name, shown=shown)
    try:
        values = raw.cast(pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(f"{shown}: {name} must be a number: {error}") from error
    bad = pc.invert(pc.fill_null(pc.is_finite(values), True))  # noqa: FBT003
    refuse_rows(bad, f"{name} must be a finite number", values=raw, shown=shown)
    if name == "score":
        outside = pc.or_(pc.less(values, 0.0), pc.greater(values, 1.0))
        refuse_rows(
            pc.fill_null(outside, False),  # noqa: FBT003
            "score must be the probability of the answer, in [0, 1]",
            values=raw,
            shown=shown,
        )
    return values


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


def truths(table: pa.Table, name: str, *, shown: str) -> pa.ChunkedArray:
    """Return a column of true and false, however it is written.

    Raises:
        DataError: A value is missing or is neither.

    """
    written = pc.utf8_lower(text(table, name, shown=shown))
    yes = pc.is_in(written, value_set=pa.array(_TRUE))
    no = pc.is_in(written, value_set=pa.array(_FALSE))
    refuse_rows(
        pc.invert(pc.or_(yes, no)),
        f"{name} must be true or false",
        values=table[name],
        shown=shown,
    )
    return yes
