"""Whether the files of a run directory fit together, before anyone reads them."""

import re
from collections.abc import Iterator, Mapping
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
        "tasks": list,
        "gates": list,
        "notes": list,
        "settings": dict,
    }
)
_TASK: Mapping[str, type] = MappingProxyType(
    {"name": str, "kind": str, "levels": dict, "metrics": dict, "slices": list}
)
_MITIGATION: Mapping[str, type] = MappingProxyType(
    {
        "name": str,
        "slug": str,
        "method": str,
        "options": dict,
        "levels": dict,
        "metrics": dict,
        "against_new": dict,
        "agreement_old": dict,
        "effect": str,
        "cost": dict,
    }
)
_SLUG = re.compile(r"[a-z0-9][a-z0-9.-]{0,79}")
_CURE = "The file was changed or damaged; run the comparison again."


def check_comparison(content: Mapping[str, Any], *, where: Path) -> None:
    """Accept a comparison that has the parts which every reader relies on.

    Raises:
        DataError: A part is missing or of another type.

    """
    _require(content, _COMPARISON, where=where, at="")
    for at, task in enumerate(content["tasks"]):
        if not isinstance(task, dict):
            raise DataError(f"{where}: tasks[{at}] must be an object. {_CURE}")
        _require(task, _TASK, where=where, at=f"tasks[{at}].")
        _check_mitigations(task, where=where, at=f"tasks[{at}].mitigations")
    if content["verdict"] not in set(Verdict):
        known = ", ".join(Verdict)
        raise DataError(
            f"{where}: verdict must be one of {known}; got {content['verdict']!r}. "
            f"{_CURE}"
        )


def slugs(comparison: Mapping[str, Any]) -> Iterator[str]:
    """Yield the stems of the files that hold mitigations' predictions."""
    for task in comparison["tasks"]:
        for one in task.get("mitigations", ()):
            yield one["slug"]


def _check_mitigations(task: Mapping[str, Any], *, where: Path, at: str) -> None:
    found = task.get("mitigations", [])
    if not isinstance(found, list):
        raise DataError(f"{where}: {at} must be a list. {_CURE}")
    for number, one in enumerate(found):
        if not isinstance(one, dict):
            raise DataError(f"{where}: {at}[{number}] must be an object. {_CURE}")
        _require(one, _MITIGATION, where=where, at=f"{at}[{number}].")
        if not _SLUG.fullmatch(one["slug"]):
            raise DataError(
                f"{where}: {at}[{number}].slug must be the stem of a file, of small "
                f"letters, digits, dots and dashes; got {one['slug']!r:.60}. {_CURE}"
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
    {str: "text", bool: "true or false", dict: "an object", list: "a list"}
)
