"""Rows of JSON logs: how a file begins, and its values as texts and numbers."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from compat_eval.core.errors import UsageError, some
from compat_eval.core.files import written_text
from compat_eval.core.option_text import joined
from compat_eval.core.text import did_you_mean
from compat_eval.suite.data.formats import suffix_of
from compat_eval.suite.data.formats.packed import head

JSON_SUFFIXES = {".json", ".jsonl", ".ndjson"}
_HEAD_BYTES = 2**20
_LONGEST_SLICE = 40

_MOST_SLICES = 50

_RIGHT = {1.0: True, 0.0: False}


def json_head(path: Path) -> bytes:
    """Return how a JSON file begins; nothing of another file."""
    if suffix_of(path.name) not in JSON_SUFFIXES:
        return b""
    return head(path, _HEAD_BYTES) if path.is_file() else b""


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


def repeats(ids: Sequence[str], numbers: list[Any]) -> dict[str, list[Any]]:
    """Return the column `repeat` where some example was answered more than once."""
    return {"repeat": numbers} if len({*ids}) < len(ids) else {}


def scorer_of(
    values: Mapping[str, Sequence[float | None]],
    choices: Mapping[str, str],
    *,
    shown: str,
    of_several: bool = False,
) -> str | None:
    """Return the name of the grade that counts: the chosen or only right-or-wrong one.

    `None` where all grades are scores.

    Args:
        values: The grades by name.
        choices: What the user chose.
        shown: What messages call the log.
        of_several: Whether the choice is made for several tasks: one that has another
            grade, and only that, is graded by it.

    Raises:
        UsageError: There is no such grade, or several could be meant.

    """
    wanted = choices.get("metric")
    binary = [name for name, given in values.items() if {*given} <= {None, *_RIGHT}]
    if wanted not in values and of_several and len(binary) == 1:
        return binary[0]
    if wanted is not None and wanted not in values:
        raise UsageError(
            f"{shown}: no metric {wanted!r}; {did_you_mean(wanted, [*values])}"
        )
    if wanted is None and len(binary) > 1:
        raise UsageError(
            f"{shown}: {len(binary)} grades say right or wrong ({', '.join(binary)}); "
            f"choose one, as in --fields correct={binary[0]}"
        ).cured_by(("--fields", joined({"correct": binary[0]})))
    return wanted or (binary[0] if binary else None)


def said_of_choice(
    metric: str | None, choices: Mapping[str, str], shown: str
) -> tuple[str, ...]:
    """Return a note where a task is graded by another metric than the chosen one."""
    wanted = choices.get("metric")
    if wanted in (None, metric):
        return ()
    return (f"{shown}: there is no metric {wanted!r}; {metric!r} grades.",)


def asked_with_target(columns: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    """Return columns without gold where scores grade: gold must not grade again.

    It stays part of what was asked, so that runs with other targets are refused.
    """
    gold = columns.get("gold")
    scored = any(name.startswith("score.") for name in columns)
    if gold is None or "correct" in columns or not scored:
        return dict(columns)
    kept = {name: cells for name, cells in columns.items() if name != "gold"}
    asked = columns.get("input") or [""] * len(gold)
    pairs = zip(asked, gold, strict=True)
    return {**kept, "question": [f"{text or ''}\n[target] {g}" for text, g in pairs]}


def known_columns(columns: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    """Return the columns that hold anything; `prediction` always."""
    return {
        name: cells
        for name, cells in columns.items()
        if name == "prediction" or any(cell is not None for cell in cells)
    }


def known(facts: Mapping[str, str | None]) -> dict[str, str]:
    """Return the facts that a log tells."""
    return {name: value for name, value in facts.items() if value is not None}


def chosen(
    key: str,
    names: Sequence[str],
    choices: Mapping[str, str],
    *,
    what: str,
    shown: str,
    of_sides: bool = True,
) -> str:
    """Return the name that a user chose, or the only one.

    Args:
        key: What is chosen, as `--keep` calls it.
        names: Those that the log holds.
        choices: What the user chose.
        what: What they are, in the plural.
        shown: What messages call the log.
        of_sides: Whether two of them can be OLD and NEW.

    Raises:
        UsageError: There are several and none is chosen, or not that one; the message
            has the whole option.

    """
    there = list(dict.fromkeys(names))
    wanted = choices.get(key)
    if wanted in there:
        return wanted
    if wanted is None and len(there) == 1:
        return there[0]
    asked = "" if wanted is None else f"none is {wanted!r}; "
    error = UsageError(
        f"{shown}: holds answers of {len(there)} {what} ({some(there, limit=12)}); "
        f"{asked}choose one"
    ).cured_by(("--keep", joined({key: there[0]})))
    if of_sides and wanted is None:
        error.cure_of_one_file = (
            ("--old-keep", joined({key: there[0]})),
            ("--new-keep", joined({key: there[1]})),
        )
    raise error


def slices(facts: Sequence[Any]) -> dict[str, list[str | None]]:
    """Return what objects about examples say in few and short words, by key."""
    rows = [one if isinstance(one, dict) else {} for one in facts]
    found = {}
    for key in dict.fromkeys(key for row in rows for key in row):
        values = [row.get(key) for row in rows]
        short = all(
            value is None or isinstance(value, bool) or _is_short(value)
            for value in values
        )
        if short and 1 <= len({*values} - {None}) <= min(_MOST_SLICES, len(rows) - 1):
            found[key] = [written_text(value) for value in values]
    return found


def _is_short(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, str) and len(value) <= _LONGEST_SLICE
