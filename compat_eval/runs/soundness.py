"""Whether the files of a run directory fit together, before anyone reads them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.table import positions
from compat_eval.core.verdict import Verdict

_COMPARISON: Mapping[str, type] = MappingProxyType(
    {
        "suite": str,
        "verdict": str,
        "doubts": list,
        "coverage": dict,
        "left_out": dict,
        "tasks": list,
        "gates": list,
        "notes": list,
        "settings": dict,
    }
)
_TASK: Mapping[str, type] = MappingProxyType(
    {"name": str, "kind": str, "n_examples": int, "updates": list}
)
_UPDATE: Mapping[str, type] = MappingProxyType(
    {
        "old": str,
        "new": str,
        "coverage": dict,
        "levels": dict,
        "statistics": dict,
        "slices": list,
        "analyses": dict,
    }
)
_ROLE = re.compile(r"[a-z0-9][a-z0-9.+ -]{0,99}")
_CURE = "The file was changed or damaged; run the comparison again."


def check_comparison(content: Mapping[str, Any], *, where: Path) -> None:
    """Accept a comparison that has the parts which every reader relies on.

    Raises:
        DataError: A part is missing or of another type.

    """
    _require(content, _COMPARISON, where=where, at="")
    for role in content["coverage"]:
        if not _ROLE.fullmatch(role):
            raise DataError(
                f"{where}: a role must be of small letters, digits, dots, dashes, "
                f"plus signs and spaces; got {role!r:.60}. {_CURE}"
            )
    for at, task in enumerate(content["tasks"]):
        if not isinstance(task, dict):
            raise DataError(f"{where}: tasks[{at}] must be an object. {_CURE}")
        _require(task, _TASK, where=where, at=f"tasks[{at}].")
        _check_updates(task["updates"], content, where=where, at=f"tasks[{at}].updates")
    if content["verdict"] not in set(Verdict):
        known = ", ".join(Verdict)
        raise DataError(
            f"{where}: verdict must be one of {known}; got {content['verdict']!r}. "
            f"{_CURE}"
        )


def _check_updates(
    updates: Sequence[Any], content: Mapping[str, Any], *, where: Path, at: str
) -> None:
    if not updates:
        raise DataError(f"{where}: {at} must name an update. {_CURE}")
    for number, one in enumerate(updates):
        if not isinstance(one, dict):
            raise DataError(f"{where}: {at}[{number}] must be an object. {_CURE}")
        _require(one, _UPDATE, where=where, at=f"{at}[{number}].")
        named = {one["old"], one["new"]}
        if one.get("pairs"):  # they stand for several training runs
            named = {role for pair in one["pairs"] for role in pair}
        unknown = named - set(content["coverage"])
        if unknown:
            raise DataError(
                f"{where}: {at}[{number}] names the role {min(unknown)!r:.60}, "
                f"of which there is nothing. {_CURE}"
            )


def check_rows(examples: Examples, sides: Mapping[str, Predictions]) -> None:
    """Accept predictions that stand row by row beside the examples.

    Args:
        examples: What was asked.
        sides: Predictions by the file they were read from.

    Raises:
        DataError: A row is missing, or belongs to another example.

    """
    for where, side in sides.items():
        if side.ids.equals(examples.ids):
            continue
        lacking = int((positions(examples.ids, side.ids) < 0).sum())
        raise DataError(
            f"{where}: must hold the {len(examples)} examples of the run in their "
            f"order; got {len(side)} rows, without {lacking} of them. {_CURE}"
        )


def _require(
    content: Mapping[str, Any], parts: Mapping[str, type], *, where: Path, at: str
) -> None:
    for name, kind in parts.items():
        if not isinstance(content.get(name), kind):
            raise DataError(
                f"{where}: {at}{name} must be {_NAMES[kind]}; got "
                f"{content.get(name)!r:.60}. {_CURE}"
            )


_NAMES: Mapping[type, str] = MappingProxyType(
    {str: "text", int: "a whole number", dict: "an object", list: "a list"}
)
