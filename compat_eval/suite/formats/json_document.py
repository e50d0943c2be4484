"""One JSON document with the rows somewhere inside."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from compat_eval.core.errors import DataError
from compat_eval.suite.formats.content import text_bytes
from compat_eval.suite.source import Source


def read_json(path: Path, source: Source, shown: str) -> pa.Table:
    """Read the list of rows that `select` leads to.

    Rows are objects, or lists whose positions are the columns `0`, `1`, ….

    Raises:
        DataError: The file is no JSON, or the path leads nowhere.

    """
    document = load_json(path, source.encoding, shown)
    rows: list[Any] = []
    for where in source.select or ("",):
        found = _follow(document, where, shown)
        if not isinstance(found, list):
            raise DataError(
                f"{shown}: {where or 'the document'} must be a list of rows; got "
                f"{type(found).__name__}{_offer(found)}"
            )
        rows += found
    return _table(rows, shown)


def load_json(path: Path, encoding: str, shown: str) -> Any:  # noqa: ANN401
    """Return a parsed JSON file.

    Raises:
        DataError: The file is no JSON; the message names line and column.

    """
    text = text_bytes(path, encoding, shown)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{shown}:{error.lineno}: is not valid JSON: {error.msg} "
            f"(column {error.colno})"
        ) from error
    except RecursionError as error:
        raise DataError(f"{shown}: nests too deep to be data") from error


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
    if isinstance(value, dict):
        return f"; select one of: {', '.join(list(value)[:12])}"
    return ""


def _table(rows: list[Any], shown: str) -> pa.Table:
    if not rows:
        return pa.table({})
    kind = type(rows[0])
    if kind not in (dict, list):
        raise DataError(
            f"{shown}: row 1 must be an object or a list; got {kind.__name__}"
        )
    for number, row in enumerate(rows, start=1):
        if type(row) is not kind or (kind is list and len(row) != len(rows[0])):
            raise DataError(
                f"{shown}: row {number} is unlike row 1 "
                f"({_shape(row)} and {_shape(rows[0])})"
            )
    try:
        if kind is dict:
            names = list(dict.fromkeys(key for row in rows for key in row))
            return pa.table({n: pa.array([r.get(n) for r in rows]) for n in names})
        columns = zip(*rows, strict=True)
        return pa.table({str(i): pa.array(list(c)) for i, c in enumerate(columns)})
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(f"{shown}: a column holds several types: {error}") from error
    except UnicodeEncodeError as error:
        raise DataError(
            f"{shown}: a text holds half a character (a lone surrogate): {error}"
        ) from error


def _shape(row: object) -> str:
    if isinstance(row, list):
        return f"a list of {len(row)}"
    return "an object" if isinstance(row, dict) else repr(row)[:40]
