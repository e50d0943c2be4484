"""A file's columns, found by name and brought to their types, or refused.

Suites and prediction files share them; they differ in which columns they want.
"""

import math
import re

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import DataError, some
from compat_eval.core.files import parse_written, written_text
from compat_eval.core.text import did_you_mean

_LARGEST_WEIGHT = 1e9
"""The smallest is its reciprocal; sums of powers of weights stay exact enough."""

_BEYOND_COUNTING = 2.0**53
_TRUE = ("true", "1", "1.0", "yes", "c", "correct")
_FALSE = ("false", "0", "0.0", "no", "i", "incorrect", "n")
_SHARE = r"^0?\.[0-9]*[1-9]"
_NO_ERROR = ("false", "none", "null", "nan", "0", "no")


def pick(
    table: pa.Table, key: str | int, *, join: str | None = None, what: str, shown: str
) -> pa.ChunkedArray:
    """Return the values of one column.

    Args:
        table: What a format read.
        key: Its name, position, or path into nested values.
        join: What stands between the texts that a path collects from a list.
        what: What the column is for, as messages call it.
        shown: What messages call the data.

    Raises:
        DataError: There is no such column; the message lists those there are.

    """
    names = table.column_names
    if isinstance(key, int):
        if not 0 <= key < len(names):
            raise DataError(
                f"{shown}: {what} is column {key}, but there are {len(names)} "
                f"(0 to {len(names) - 1})"
            )
        return table.column(key)
    if key in names:
        return table[key]
    first, *rest = re.findall(r"\[\]|[^.\[\]]+", key) or [key]
    if first not in names:
        raise DataError(
            f"{shown}: {what} is column {key!r}, which is not there; "
            f"{did_you_mean(key, names)}"
        )
    try:
        return _reach(table[first], rest, join)
    except pa.ArrowException as error:
        kind = table[first].type
        raise DataError(
            f"{shown}: {what} is {key!r}, but {first!r} holds {kind}: {error}"
        ) from error


def _reach(
    values: pa.ChunkedArray, steps: list[str], join: str | None
) -> pa.ChunkedArray:
    for at, step in enumerate(steps):
        kind = values.type
        if step == "[]":
            chunks = [_collect(c, steps[at + 1 :], join or "") for c in values.chunks]
            return pa.chunked_array(chunks, pa.string())
        if pa.types.is_string(kind):
            return _inside_texts(values, steps[at:])
        if step.isdecimal() and (
            pa.types.is_list(kind) or pa.types.is_large_list(kind)
        ):
            chunks = [_element(chunk, int(step)) for chunk in values.chunks]
            values = pa.chunked_array(chunks, kind.value_type)
        else:
            values = pc.struct_field(values, step)
    return values


def _element(lists: pa.Array, at: int) -> pa.Array:
    """Return one element of each list; null where a list is too short."""
    offsets = lists.offsets
    sizes = pc.fill_null(pc.list_value_length(lists), 0)
    place = pc.add(offsets.slice(0, len(lists)), at)
    there = pc.greater(sizes, at)
    return lists.values.take(pc.if_else(there, place, pa.scalar(None, place.type)))


def _inside_texts(texts: pa.ChunkedArray, steps: list[str]) -> pa.ChunkedArray:
    """Follow a path into texts that are JSON; null where it leads nowhere.

    Cells of CSV files hold JSON so, and columns of JSON files whose types mix.

    Raises:
        ArrowInvalid: No text is JSON in which the path leads anywhere.

    """
    found = [
        None if text is None else _followed(text, steps) for text in texts.to_pylist()
    ]
    if found and not any(value is not None for value in found):
        raise pa.ArrowInvalid(f"no text there is JSON with {'.'.join(steps)!r} in it")
    return pa.chunked_array([pa.array(found, pa.string())])


def _followed(text: str, steps: list[str]) -> str | None:
    try:
        value = parse_written(text.encode())
    except ValueError:
        return None
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return written_text(value)


def _collect(lists: pa.Array, steps: list[str], join: str) -> pa.Array:
    """Join the texts inside each list; a null list stays null."""
    inner = lists.flatten()
    if steps:
        inner = _reach(pa.chunked_array([inner]), steps, join).combine_chunks()
    sizes = pc.fill_null(pc.list_value_length(lists), 0)
    ends = pc.cumulative_sum(sizes).cast(pa.int32())
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    texts = pa.ListArray.from_arrays(offsets, inner.cast(pa.string()))
    joined = pc.binary_join(texts, join)
    return pc.if_else(pc.is_valid(lists), joined, pa.scalar(None, pa.string()))


def as_text(values: pa.ChunkedArray, *, what: str, shown: str) -> pa.ChunkedArray:
    """Return values as strings; numbers and booleans as JSON writes them, NaN as null.

    Raises:
        DataError: They are lists or objects.

    """
    kind = values.type
    if pa.types.is_string(kind):
        return values
    if pa.types.is_floating(kind):
        # Whole numbers are written without a point: pandas makes floats of whole
        # numbers as soon as one is missing.
        values = values.cast(pa.float64())
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)
    if pa.types.is_nested(kind):
        raise DataError(
            f"{shown}: {what} must be text; got {kind}. Write one text a row or, in a "
            "suite, reach into it with a path such as 'meta.lang' or 'data[].text'."
        )
    try:
        return values.cast(pa.string())
    except pa.ArrowException as error:
        raise DataError(f"{shown}: {what} must be text; got {kind}: {error}") from error


def nan_is_null(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts with null where one is what a missing number looks like as text."""
    nan = pc.or_(pc.equal(values, "nan"), pc.equal(values, "NaN"))
    nan = pc.or_(nan, pc.equal(values, "<NA>"))
    if not pc.any(nan).as_py():
        return values
    return pc.if_else(nan, pa.scalar(None, pa.string()), values)


def text(values: pa.ChunkedArray, name: str, *, shown: str) -> pa.ChunkedArray:
    """Return a column as strings; an empty cell and NaN are no value.

    `None` and `null` are text: they may be labels. (In JSON, null is no text.)

    Raises:
        DataError: It holds lists or objects.

    """
    values = as_text(values, what=name, shown=shown)
    values = pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)
    return values if name == "input" else nan_is_null(values)


def ids(values: pa.ChunkedArray, *, shown: str) -> pa.ChunkedArray:
    """Return the ids, as the file writes them.

    Raises:
        DataError: There is a row without one.

    """
    if pa.types.is_floating(values.type):
        large = pc.greater_equal(pc.abs(values), _BEYOND_COUNTING)
        refuse_rows(
            pc.fill_null(large, False),  # noqa: FBT003
            "id is a float too large to keep its digits; write ids as text",
            values=values,
            shown=shown,
        )
    found = text(values, "id", shown=shown)
    refuse_rows(pc.is_null(found), "every row needs an id", values=None, shown=shown)
    return found


def errors(values: pa.ChunkedArray, *, shown: str) -> pa.ChunkedArray:
    """Return what the model raised; null where it says that there was no error."""
    told = text(values, "error", shown=shown)
    none = pc.is_in(pc.utf8_lower(told), value_set=pa.array(_NO_ERROR))
    return pc.if_else(none, pa.scalar(None, pa.string()), told)


def numbers(values: pa.ChunkedArray, name: str, *, shown: str) -> pa.ChunkedArray:
    """Return a column of finite numbers; null where there is none, or NaN.

    Raises:
        DataError: One is infinite or no number; or a `score` is no
            probability.

    """
    raw = values
    if pa.types.is_string(raw.type):
        raw = pc.if_else(pc.equal(raw, ""), pa.scalar(None, pa.string()), raw)
    try:
        found = raw.cast(pa.float64())
    except pa.ArrowException as error:
        raise DataError(
            f"{shown}: {name} must be a number: {error}. {_left_out(name)}"
        ).cured_by(("--fields", f"{name}=")) from error
    found = pc.if_else(pc.is_nan(found), pa.scalar(None, pa.float64()), found)
    bad = pc.invert(pc.fill_null(pc.is_finite(found), True))  # noqa: FBT003
    refuse_rows(
        bad,
        f"{name} must be a finite number; {_left_out(name)}",
        values=raw,
        shown=shown,
        cure=("--fields", f"{name}="),
    )
    if name == "score":
        outside = pc.or_(pc.less(found, 0.0), pc.greater(found, 1.0))
        refuse_rows(
            pc.fill_null(outside, False),  # noqa: FBT003
            "score must be the probability of the answer, in [0, 1]; "
            f"{_left_out(name)}",
            values=raw,
            shown=shown,
            cure=("--fields", f"{name}="),
        )
    return found


def _left_out(name: str) -> str:
    return f"to compare without it, add --fields {name}="


def counts(values: pa.ChunkedArray, name: str, *, shown: str) -> pa.ChunkedArray:
    """Return a column of whole numbers from 0; null where there is none.

    Raises:
        DataError: One is negative, no whole number, or beyond counting.

    """
    found = numbers(values, name, shown=shown)
    whole = pc.and_(
        pc.equal(found, pc.floor(found)),
        pc.and_(pc.greater_equal(found, 0.0), pc.less(found, _BEYOND_COUNTING)),
    )
    refuse_rows(
        pc.invert(pc.fill_null(whole, True)),  # noqa: FBT003
        f"{name} must be a whole number from 0",
        values=values,
        shown=shown,
    )
    return found.cast(pa.int64())


def truths(
    values: pa.ChunkedArray, name: str, *, shown: str
) -> tuple[pa.ChunkedArray, int]:
    """Return a column of true and false, and how many values are missing: null.

    Raises:
        DataError: A value is neither; `cure` reads shares as scores.

    """
    written = pc.utf8_lower(text(values, name, shown=shown))
    _refuse_shares(written, name, shown=shown)
    yes = pc.is_in(written, value_set=pa.array(_TRUE))
    no = pc.is_in(written, value_set=pa.array((*_FALSE, None)))
    refuse_rows(
        pc.invert(pc.or_(yes, no)),
        f"{name} must be true or false (also 1 and 0, yes and no, C and I)",
        values=values,
        shown=shown,
    )
    known = pc.if_else(pc.is_valid(written), yes, pa.scalar(None, pa.bool_()))
    return known, int(written.null_count)


def _refuse_shares(written: pa.ChunkedArray, name: str, *, shown: str) -> None:
    """Raise where grades are neither right nor wrong, but something between."""
    between = pc.fill_null(pc.match_substring_regex(written, _SHARE), False)  # noqa: FBT003
    if pc.any(between).as_py():
        raise DataError(
            f"{shown}: {name} must be true or false; got "
            f"{written.filter(between)[0]}. Numbers between 0 and 1 are scores: name "
            "another column that says what is right, or add --task generation "
            f"--fields score.{name}={name}"
        ).cured_by(("--task", "generation"), ("--fields", f"score.{name}={name}"))


def as_weights(values: pa.ChunkedArray, *, shown: str) -> pa.ChunkedArray:
    """Return values as positive finite numbers.

    Raises:
        DataError: One is missing, not a number, not positive, or so far from 1 that
            it would drown the others.

    """
    try:
        numbers = values.cast(pa.float64())
    except pa.ArrowException as error:
        raise DataError(f"{shown}: weight must be a number: {error}") from error
    usable = pc.and_(pc.is_finite(numbers), pc.greater(numbers, 0.0))
    refuse_rows(
        pc.invert(pc.fill_null(usable, False)),  # noqa: FBT003
        "weight must be a positive finite number",
        values=values,
        shown=shown,
    )
    far = pc.greater(pc.abs(pc.log10(numbers)), math.log10(_LARGEST_WEIGHT))
    refuse_rows(
        far,
        f"weight must lie between {1 / _LARGEST_WEIGHT:g} and {_LARGEST_WEIGHT:g} "
        "(divide all by their mean)",
        values=values,
        shown=shown,
    )
    return numbers


def refuse_rows(
    bad: pa.ChunkedArray,
    why: str,
    *,
    values: pa.ChunkedArray | None,
    shown: str,
    cure: tuple[str, str] | None = None,
) -> None:
    """Raise if a mask is true anywhere, naming the first rows (from 1).

    Args:
        bad: The mask.
        why: What is wrong with these rows.
        values: What stands there, for the message.
        shown: What messages call the data.
        cure: An option that mends it, with its value.

    Raises:
        DataError: It is.

    """
    if not pc.any(bad).as_py():
        return
    rows = pc.indices_nonzero(bad)
    first = some([row.as_py() + 1 for row in rows[:6]], limit=5)
    got = "" if values is None else f"; got {values[rows[0].as_py()].as_py()!r} first"
    raise DataError(
        f"{shown}: {why}; {len(rows)} rows do not hold to it{got} (rows {first})"
    ).cured_by(*([cure] if cure else []))
