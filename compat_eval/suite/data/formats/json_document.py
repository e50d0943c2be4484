"""One JSON document with the rows somewhere inside."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pyarrow as pa

from compat_eval.core.errors import DataError
from compat_eval.core.files import parse_written, refuse_depth
from compat_eval.suite.data.formats.content import text_bytes
from compat_eval.suite.data.formats.json_values import table_of
from compat_eval.suite.data.source import Source


def read_json(
    path: Path, source: Source, shown: str, exact: Collection[str] = ()
) -> pa.Table:
    """Read the list of rows that `select` leads to.

    Rows are objects, or lists whose positions are the columns `0`, `1`, …. An object
    of columns, as pandas writes by default, is read too.

    Raises:
        DataError: The file is no JSON, or the path leads nowhere.

    """
    document = load_json(path, source.encoding, shown)
    rows: list[Any] = []
    for where in source.select or ("",):
        found = _follow(document, where, shown)
        found = _transposed(found) if isinstance(found, dict) else found
        if not isinstance(found, list):
            raise DataError(
                f"{shown}: {where or 'the document'} must be a list of rows; got "
                f"{_kind(found)}{_offer(found)}"
            )
        rows += found
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


def _transposed(columns: dict[str, Any]) -> list[dict[str, Any]] | dict[str, Any]:
    """Return an object of columns as rows; another object as it is."""
    values = list(columns.values())
    if not values or not isinstance(values[0], dict):
        return columns
    keys = list(values[0])
    if len(values) < 2 or any(  # noqa: PLR2004 - an id and an answer
        not isinstance(one, dict) or list(one) != keys for one in values
    ):
        return columns
    if any(isinstance(cell, dict | list) for one in values for cell in one.values()):
        return columns
    return [{name: columns[name][key] for name in columns} for key in keys]


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
    return table_of(rows, exact=exact, shown=shown)


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
