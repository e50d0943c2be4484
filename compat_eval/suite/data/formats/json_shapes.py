"""The shapes in which JSON documents hold rows."""

from collections.abc import Mapping, Sequence
from typing import Any

_INDEX = "index"
"""What the keys of rows are called, where these have no id."""


def rows_of(document: Any) -> list[Any] | None:  # noqa: ANN401
    """Return the rows that a document holds; `None` where it holds none.

    A list of objects or lists is one of rows. A list of texts or numbers is one column,
    `0`. Objects of columns (lists of one length, or objects by row, as pandas writes
    them) are turned, and so is an object of rows by their ids.

    Examples:
        >>> rows_of(["a", "b"])
        [{'0': 'a'}, {'0': 'b'}]
        >>> rows_of({"id": [1, 2], "gold": ["a", "b"]})
        [{'id': 1, 'gold': 'a'}, {'id': 2, 'gold': 'b'}]
        >>> rows_of({"q1": {"gold": "a"}, "q2": {"gold": "b"}})
        [{'index': 'q1', 'gold': 'a'}, {'index': 'q2', 'gold': 'b'}]

    """
    if isinstance(document, list):
        if any(isinstance(row, dict | list) for row in document):
            return document
        return [{"0": cell} for cell in document]
    if not isinstance(document, dict) or len(document) < 2:  # noqa: PLR2004 - an id and an answer
        return None
    values = list(document.values())
    if all(isinstance(one, list) for one in values):
        return _of_lists(document)
    if all(isinstance(one, dict) and one for one in values):
        return _of_objects(document)
    return None


def _of_lists(columns: Mapping[str, Sequence[Any]]) -> list[Any] | None:
    sizes = {len(one) for one in columns.values()}
    cells = (cell for one in columns.values() for cell in one)
    if len(sizes) != 1 or any(isinstance(cell, dict) for cell in cells):
        return None
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values())]  # noqa: B905


def _of_objects(outer: Mapping[str, Mapping[str, Any]]) -> list[Any] | None:
    """Turn an object of objects: of columns, or of rows where these are more."""
    keys = list(next(iter(outer.values())))
    if any(list(one) != keys for one in outer.values()):
        return None
    if any(isinstance(cell, dict) for one in outer.values() for cell in one.values()):
        return None
    if len(outer) > len(keys) and not all(key.isdecimal() for key in keys):
        return [_named(key, row) for key, row in outer.items()]
    return [
        _named(key, {name: values[key] for name, values in outer.items()})
        for key in keys
    ]


def _named(key: str, row: Mapping[str, Any]) -> dict[str, Any]:
    return dict(row) if {"id", _INDEX} & {*row} else {_INDEX: key, **row}
