"""JSON: rows inside one document (`json`), or one object a line (`jsonl`).

Numbers keep their digits (`18446744073709551616`, `1.0`, `1e5`) until it is known
whether a column is read as text or as numbers; NaN is no value.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.json as pj

from compat_eval.core.errors import DataError, some
from compat_eval.core.files import (
    DEEPEST,
    WrittenNumber,
    parse_written,
    refuse_depth,
    written_text,
)
from compat_eval.suite.data.formats import Reading
from compat_eval.suite.data.formats.json_shapes import rows_of
from compat_eval.suite.data.formats.text import native, text_bytes

_BLOCK_BYTES = 2**23
_MOST_COLUMNS = 2_000

_LARGEST_BLOCK = 2**31 - 1
_NO_BRACKETS = bytes({*range(256)} - {*b"{[\n"})


def read_json(
    path: Path, reading: Reading, shown: str, exact: Collection[str] = ()
) -> pa.Table:
    """Read the list of rows that `select` leads to.

    Rows are objects, or lists whose positions are the columns `0`, `1`, …. What else
    holds rows is turned (`rows_of`).

    Raises:
        DataError: The file is no JSON, or the path leads nowhere.

    """
    document = load_json(path, reading.encoding, shown)
    rows: list[Any] = []
    for where in reading.select or ("",):
        # Another file of a comparison may be the list of rows itself.
        listed = isinstance(document, list)
        found = document if listed else _follow(document, where, shown)
        there = rows_of(found)
        if there is None:
            raise DataError(
                f"{shown}: {where or 'the document'} must be a list of rows; got "
                f"{_kind(found)}{_offer(found)}"
            )
        rows += there
    return _table(rows, exact, shown)


def load_json(path: Path, encoding: str, shown: str) -> Any:  # noqa: ANN401
    """Return a parsed JSON file; its numbers are texts as they are written.

    Raises:
        DataError: The file is no JSON; the message names line and column.

    """
    text = text_bytes(path, encoding, shown)
    try:
        refuse_depth(text)
        return parse_written(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{shown}:{error.lineno}: is not valid JSON: {error.msg} "
            f"(column {error.colno})"
        ) from error
    except ValueError as error:
        raise DataError(f"{shown}: is not valid JSON: {error}") from error


def _follow(value: Any, where: str, shown: str) -> Any:  # noqa: ANN401
    done: list[str] = []
    for key in where.split(".") if where else ():
        if not isinstance(value, dict) or key not in value:
            at = ".".join(done) or "the document"
            raise DataError(
                f"{shown}: select {where!r}: {at} has no key {key!r}{_offer(value)}"
            )
        value = value[key]
        done.append(key)
    return value


def _offer(value: object) -> str:
    if not isinstance(value, dict):
        return ""
    keys = ", ".join(list(value)[:12])
    return f"; select one of: {keys} (--read select=KEY; in a suite, 'select: KEY')"


def _table(rows: list[Any], exact: Collection[str], shown: str) -> pa.Table:
    if not rows:
        return pa.table({})
    kind = type(rows[0])
    if kind not in (dict, list):
        raise DataError(
            f"{shown}: row 1 must be an object or a list; got {_kind(rows[0])}"
        )
    for number, row in enumerate(rows, start=1):
        if type(row) is not kind or (kind is list and len(row) != len(rows[0])):
            raise DataError(
                f"{shown}: row {number} is unlike row 1 "
                f"({_shape(row)} and {_shape(rows[0])})"
            )
    if kind is list:
        rows = [{str(i): cell for i, cell in enumerate(row)} for row in rows]
    return _table_of(rows, exact=exact, shown=shown)


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "a text" if type(value) is str else "a number"
    return {dict: "an object", list: "a list", bool: "true or false"}.get(
        type(value), "null"
    )


def _shape(row: object) -> str:
    if isinstance(row, list):
        return f"a list of {len(row)}"
    return "an object" if isinstance(row, dict) else repr(row)[:40]


def read_jsonl(
    path: Path, reading: Reading, shown: str, exact: Collection[str] = ()
) -> pa.Table:
    """Read JSON Lines; text that looks like a date stays text.

    Arrow reads what it reads exactly. Where a key changes its type, or a column of
    `exact` holds numbers that a float would round or rewrite, lines are read one by
    one instead, several times slower.

    Raises:
        DataError: A line is no JSON object, names a key twice or nests too deep.

    """
    data = text_bytes(path, reading.encoding, shown)
    if not data or data.isspace():
        return pa.table({})
    _refuse_depth(data, shown)
    buffer = native(data)
    del data  # a large file is kept once, while Arrow reads it
    table = _fast(buffer)
    if table is None or any(_floats(table, name) for name in exact):
        rows = list(_rows(buffer.to_pybytes(), shown))
        table = _table_of(rows, exact=exact, shown=shown)
    refuse_width(table.column_names, shown)
    return table


def load_lines(path: Path, encoding: str, shown: str) -> Iterator[dict[str, Any]]:
    """Yield the objects of JSON Lines; numbers are texts as they are written.

    Raises:
        DataError: A line is no JSON object; the message names it.

    """
    data = text_bytes(path, encoding, shown)
    _refuse_depth(data, shown)
    yield from _rows(data, shown)


def load_typed(path: Path, schema: pa.Schema, shown: str) -> pa.Table | None:
    """Return these fields of JSON Lines, and nothing else; quick in time and memory.

    `None` where a line is no JSON or has a field of another type.

    Raises:
        DataError: The file cannot be read or unpacked, or nests too deep.

    """
    data = text_bytes(path, "utf-8", shown)
    if not data or data.isspace():
        return schema.empty_table()
    _refuse_depth(data, shown)
    buffer = native(data)
    del data
    try:
        return _every_line(_parse(buffer, schema, further="ignore"), buffer)
    except pa.ArrowInvalid:
        return None


def _fast(buffer: pa.Buffer) -> pa.Table | None:
    """Return what Arrow makes of it; `None` where that is not every line."""
    try:
        table = _parse(buffer, pa.schema([]))
        dates = [f.name for f in table.schema if pa.types.is_temporal(f.type)]
        if dates:
            table = _parse(buffer, pa.schema([(name, pa.string()) for name in dates]))
    except pa.ArrowInvalid:
        return None
    return _every_line(table, buffer)


def _every_line(table: pa.Table, buffer: pa.Buffer) -> pa.Table | None:
    seen = np.frombuffer(buffer, np.uint8)
    lines = int(np.count_nonzero(seen == ord("\n"))) + (seen[-1] != ord("\n"))
    if table.num_rows != lines:
        every = buffer.to_pybytes().split(b"\n")
        lines = sum(1 for line in every if line.strip())
    return table if table.num_rows == lines else None


def _parse(buffer: pa.Buffer, schema: pa.Schema, *, further: str = "infer") -> pa.Table:
    options = pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior=further)
    for block in (_BLOCK_BYTES, min(buffer.size + 1, _LARGEST_BLOCK)):
        try:
            return pj.read_json(
                pa.BufferReader(buffer),
                read_options=pj.ReadOptions(block_size=block),
                parse_options=options,
            )
        except pa.ArrowInvalid as error:
            if "straddl" not in str(error) or block >= buffer.size:
                raise
    raise AssertionError  # the second block holds everything


def _floats(table: pa.Table, name: str) -> bool:
    """Whether a column, or what is nested in it, was read as floats."""
    first = name if name in table.column_names else name.partition(".")[0]
    return first in table.column_names and "double" in str(table[first].type)


def _refuse_depth(data: bytes, shown: str) -> None:
    """Raise before Arrow meets a line so deep that it crashes.

    Raises:
        DataError: Some line nests deeper than `DEEPEST`.

    """
    left = data.translate(None, _NO_BRACKETS).split(b"\n")
    often = {at for at, opens in enumerate(left) if len(opens) > DEEPEST}
    if not often:
        return
    for at, line in enumerate(data.split(b"\n")):
        if at in often:
            try:
                refuse_depth(line)
            except ValueError as error:
                raise DataError(f"{shown}:{at + 1}: {error}") from error


def _rows(data: bytes, shown: str) -> Iterator[dict[str, Any]]:
    """Yield the objects, one line after the other.

    Raises:
        DataError: A line is no object; the message names it.

    """
    lines = data.split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = parse_written(line)
        except ValueError as wrong:
            hint = "; the file seems to be cut off" if number == len(lines) else ""
            raise DataError(
                f"{shown}:{number}: is not valid JSON: {wrong}{hint}"
            ) from wrong
        if not isinstance(row, dict):
            begins = line[:60].decode("utf-8", "replace")
            raise DataError(
                f"{shown}:{number}: must be an object {{…}}; got {begins!r}"
            )
        yield row


def _table_of(
    rows: Collection[dict[str, Any]], *, exact: Collection[str], shown: str
) -> pa.Table:
    """Return decoded objects as a table; keys that a row lacks are null.

    Args:
        rows: What `parse_written` made of them.
        exact: Columns whose numbers stay as they are written.
        shown: What messages call the file.

    Raises:
        DataError: There are too many columns.

    """
    names = list(dict.fromkeys(key for row in rows for key in row))
    refuse_width(names, shown)
    return pa.table(
        {name: column([r.get(name) for r in rows], name in exact) for name in names}
    )


def column(values: list[Any], exact: bool) -> pa.Array:  # noqa: FBT001
    """Return values of one key; several types in one column are read as text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds & {dict, list}:
        return _nested(values, exact)
    if kinds <= {bool}:
        return pa.array(values, pa.bool_() if kinds else pa.null())
    if kinds == {WrittenNumber}:
        try:
            return pa.array(values, pa.string()).cast(pa.int64())
        except pa.ArrowInvalid:
            if not exact:
                return pa.array([v if v is None else float(v) for v in values])
    return pa.array([written_text(value) for value in values], pa.string())


def refuse_width(names: Collection[str], shown: str) -> None:
    """Raise where there are so many columns that they cannot be facts of examples.

    Raises:
        DataError: There are more than `_MOST_COLUMNS`.

    """
    if len(names) > _MOST_COLUMNS:
        raise DataError(
            f"{shown}: has {len(names):,} columns ({some(names, limit=3)}), at most "
            f"{_MOST_COLUMNS:,} can be read; keep those that the comparison needs, one "
            "example a row"
        )


def _nested(values: list[Any], exact: bool) -> pa.Array:  # noqa: FBT001
    """Return lists and objects; leaves are text, and then all is, where types mix."""
    leaves: Iterable[Callable[[Any], Any]] = (_leaf, written_text)
    if exact and any(_rounds(value) for value in values):
        leaves = (written_text,)
    for leaf in leaves:
        try:
            return pa.array([_mapped(value, leaf) for value in values])
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            continue
    return pa.array([written_text(value) for value in values], pa.string())


def _mapped(value: Any, leaf: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _mapped(one, leaf) for key, one in value.items()}
    if isinstance(value, list):
        return [_mapped(one, leaf) for one in value]
    return leaf(value)


def _rounds(value: Any) -> bool:  # noqa: ANN401
    """Whether reading its numbers as numbers would lose how they are written."""
    if isinstance(value, dict):
        return any(map(_rounds, value.values()))
    if isinstance(value, list):
        return any(map(_rounds, value))
    return isinstance(value, WrittenNumber) and not _counts(value)


def _counts(number: WrittenNumber) -> bool:
    return number.lstrip("-").isdigit() and -(2**63) <= int(number[:20]) < 2**63


def _leaf(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, WrittenNumber):
        return int(value) if _counts(value) else float(value)
    return value
