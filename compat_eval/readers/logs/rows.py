"""Rows of JSON logs: how a file begins, and its values as texts and numbers."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from compat_eval.core.errors import CoverageError, DataError, some
from compat_eval.core.files import written_text
from compat_eval.suite.data.formats import suffix_of
from compat_eval.suite.data.formats.text import head

HEAD_BYTES = 2**20

_RIGHT = {1.0: True, 0.0: False}


def json_head(path: Path) -> bytes:
    """Return how a JSON file begins; nothing of another file."""
    if suffix_of(path.name) not in {".json", ".jsonl", ".ndjson"}:
        return b""
    return head(path, HEAD_BYTES) if path.is_file() else b""


def first_row(path: Path) -> Mapping[str, Any]:
    """Return the first object of JSON Lines or of a JSON list; else an empty one."""
    text = json_head(path).decode("utf-8", "ignore").lstrip("\ufeff \t\r\n[")
    try:
        row, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}


def inner(row: Mapping[str, Any], *keys: str) -> Any:  # noqa: ANN401
    """Return a value inside objects; `None` where the path ends early."""
    value: Any = row
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def told(row: Mapping[str, Any], *keys: str) -> str | None:
    """Return a value inside objects as text."""
    return written_text(inner(row, *keys))


def number(value: Any) -> float | None:  # noqa: ANN401
    """Return a finite number, or true and false as 1 and 0; `None` for all else."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def graded(values: Sequence[float | None], name: str) -> dict[str, list[Any]]:
    """Return the column of grades: `correct` of 0 and 1, else `score.<name>`."""
    if all(value is None or value in _RIGHT for value in values):
        return {"correct": [v if v is None else _RIGHT[v] for v in values]}
    return {f"score.{name}": list(values)}


def repeats(
    ids: Sequence[str], numbers: Sequence[str], *, shown: str
) -> dict[str, list[int]]:
    """Return the column `repeat` where some example was answered more than once.

    Raises:
        DataError: A number is no whole one.
        CoverageError: An example has one number twice.

    """
    if len({*ids}) == len(ids):
        return {}
    pairs = Counter(zip(ids, numbers, strict=True))
    twice = [one for one, n_times in pairs.items() if n_times > 1]
    if twice:
        named = some(f"{example} (repeat {repeat})" for example, repeat in twice)
        raise CoverageError(f"{shown}: answers stand there twice: {named}")
    try:
        return {"repeat": [int(one) for one in numbers]}
    except ValueError as error:
        raise DataError(f"{shown}: a repeat must be a whole number: {error}") from error


def known(facts: Mapping[str, str | None]) -> dict[str, str]:
    """Return the facts that a log tells."""
    return {name: value for name, value in facts.items() if value is not None}
