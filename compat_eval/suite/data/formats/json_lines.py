"""JSON Lines: one object a line."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.json as pj

from compat_eval.core.errors import DataError
from compat_eval.core.files import DEEPEST, parse_written, refuse_depth
from compat_eval.suite.data.formats.content import native, text_bytes
from compat_eval.suite.data.formats.json_values import refuse_width, table_of
from compat_eval.suite.data.source import Source

BLOCK_BYTES = 2**23
_LARGEST_BLOCK = 2**31 - 1


def read_jsonl(
    path: Path, source: Source, shown: str, exact: Collection[str] = ()
) -> pa.Table:
    """Read JSON Lines; text that looks like a date stays text.

    Arrow reads what it reads exactly. Where a key changes its type, or a column of
    `exact` holds numbers that a float would round or rewrite, lines are read one by
    one instead, several times slower.

    Raises:
        DataError: A line is no JSON object, names a key twice or nests too deep.

    """
    data = text_bytes(path, source.encoding, shown)
    if not data.strip():
        return pa.table({})
    _refuse_depth(data, shown)
    table = _fast(data)
    if table is None or any(_floats(table, name) for name in exact):
        table = table_of(list(_rows(data, shown)), exact=exact, shown=shown)
    refuse_width(table.column_names, shown)
    return table


def _fast(data: bytes) -> pa.Table | None:
    """Return what Arrow makes of it; `None` where that is not every line."""
    buffer = native(data)
    try:
        table = _parse(buffer, pa.schema([]))
        dates = [f.name for f in table.schema if pa.types.is_temporal(f.type)]
        if dates:
            table = _parse(buffer, pa.schema([(name, pa.string()) for name in dates]))
    except pa.ArrowInvalid:
        return None
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    if table.num_rows != lines:
        lines = sum(1 for line in data.split(b"\n") if line.strip())
    return table if table.num_rows == lines else None


def _parse(buffer: pa.Buffer, schema: pa.Schema) -> pa.Table:
    options = pj.ParseOptions(explicit_schema=schema)
    for block in (BLOCK_BYTES, min(buffer.size + 1, _LARGEST_BLOCK)):
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
    n_open = data.count(b"{") + data.count(b"[")
    if n_open - data.count(b"\n") <= DEEPEST:
        return
    seen = np.frombuffer(data, np.uint8)
    opens = np.flatnonzero((seen == ord("{")) | (seen == ord("[")))
    ends = np.append(np.flatnonzero(seen == ord("\n")), len(seen))
    often = np.diff(np.searchsorted(opens, ends), prepend=0) > DEEPEST
    for number in np.flatnonzero(often).tolist():
        start = ends[number - 1] + 1 if number else 0
        try:
            refuse_depth(data[start : ends[number]])
        except ValueError as error:
            raise DataError(f"{shown}:{number + 1}: {error}") from error


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
