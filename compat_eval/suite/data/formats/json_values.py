"""JSON values as the file writes them, and the columns that they make.

Numbers keep their digits (`18446744073709551616`, `1.0`, `1e5`) until it is known
whether a column is read as text or as numbers; NaN is no value.
"""

import json
from collections.abc import Callable, Collection, Iterable
from typing import Any

import pyarrow as pa

from compat_eval.core.errors import DataError, some
from compat_eval.core.files import WrittenNumber


def table_of(
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
    return pa.array([_text(value) for value in values], pa.string())


MOST_COLUMNS = 2_000


def refuse_width(names: Collection[str], shown: str) -> None:
    """Raise where there are so many columns that they cannot be facts of examples.

    Raises:
        DataError: There are more than `MOST_COLUMNS`.

    """
    if len(names) > MOST_COLUMNS:
        raise DataError(
            f"{shown}: has {len(names):,} columns ({some(names, limit=3)}), at most "
            f"{MOST_COLUMNS:,} can be read; keep those that the comparison needs, one "
            "example a row"
        )


def _nested(values: list[Any], exact: bool) -> pa.Array:  # noqa: FBT001
    """Return lists and objects; leaves are text, and then all is, where types mix."""
    leaves: Iterable[Callable[[Any], Any]] = (_leaf, _text)
    if exact and any(_rounds(value) for value in values):
        leaves = (_text,)
    for leaf in leaves:
        try:
            return pa.array([_mapped(value, leaf) for value in values])
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            continue
    return pa.array([_text(value) for value in values], pa.string())


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


def _text(value: Any) -> str | None:  # noqa: ANN401
    if value is None or type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, WrittenNumber):
        return str(value)
    return _dumped(value)


def _dumped(value: Any) -> str:  # noqa: ANN401
    """Return a list or an object as JSON, its numbers as they were written."""
    if isinstance(value, dict):
        inner = (
            f"{json.dumps(k, ensure_ascii=False)}: {_dumped(v)}"
            for k, v in value.items()
        )
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_dumped, value)) + "]"
    if isinstance(value, WrittenNumber):
        return str(value)
    return json.dumps(value, ensure_ascii=False)
