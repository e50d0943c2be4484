"""JSON Lines: one object a line."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.json as pj

from compat_eval.core.errors import DataError
from compat_eval.suite.formats.content import text_bytes
from compat_eval.suite.source import Source

BLOCK_BYTES = 2**23
_LARGEST_BLOCK = 2**31 - 1


def read_jsonl(path: Path, source: Source, shown: str) -> pa.Table:
    """Read JSON Lines; text that looks like a date stays text.

    Raises:
        DataError: A line is no JSON object, or a key changes its type.

    """
    data = text_bytes(path, source.encoding, shown)
    if not data.strip():
        return pa.table({})
    try:
        table = _parse(data, pa.schema([]))
        dates = [f.name for f in table.schema if pa.types.is_temporal(f.type)]
        if dates:
            table = _parse(data, pa.schema([(name, pa.string()) for name in dates]))
    except pa.ArrowInvalid as error:
        raise DataError(_explain(data, shown, error)) from error
    return table


def _parse(data: bytes, schema: pa.Schema) -> pa.Table:
    options = pj.ParseOptions(explicit_schema=schema)
    for block in (BLOCK_BYTES, min(len(data) + 1, _LARGEST_BLOCK)):
        try:
            return pj.read_json(
                pa.BufferReader(data),
                read_options=pj.ReadOptions(block_size=block),
                parse_options=options,
            )
        except pa.ArrowInvalid as error:
            if "straddl" not in str(error) or block >= len(data):
                raise
    raise AssertionError  # the second block holds everything


def _explain(data: bytes, shown: str, error: Exception) -> str:
    """Find the first bad line, slowly; the fast reader does not name it."""
    types: dict[str, tuple[str, int]] = {}
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=_unique)
            json.dumps(row, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as wrong:
            hint = ""
            if number == data.count(b"\n") + 1:
                hint = "; the file seems to be cut off"
            return f"{shown}:{number}: is not valid JSON: {wrong}{hint}"
        if not isinstance(row, dict):
            begins = line[:60].decode("utf-8", "replace")
            return f"{shown}:{number}: must be an object {{…}}; got {begins!r}"
        for key, value in row.items():
            kind = _kind(value)
            first, where = types.setdefault(key, (kind, number))
            if first == "null":
                types[key] = (kind, number)
            elif kind not in (first, "null"):
                return (
                    f"{shown}:{number}: {key!r} is {kind} here and {first} in line "
                    f"{where}; write one type throughout"
                )
    return f"{shown}: cannot be read as JSON Lines: {error}"


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a key is given twice")
    return row


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "an object"
