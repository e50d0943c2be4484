"""What a report reads of a run: its one task, and the order of its levels."""

from collections.abc import Mapping
from typing import Any

from compat_eval.core.errors import DataError
from compat_eval.core.grades import names
from compat_eval.tasks import TASKS


def the_task(comparison: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the one task of a comparison.

    Raises:
        DataError: There is none, or more than one.

    """
    tasks = comparison["tasks"]
    if len(tasks) != 1:
        raise DataError(f"a report shows exactly one task; this run has {len(tasks)}")
    task: Mapping[str, Any] = tasks[0]
    return task


def first_level(comparison: Mapping[str, Any]) -> str:
    """Return the level that matters most."""
    return level_names(comparison)[0]


def summary_of(
    comparison: Mapping[str, Any], level: str, part: str | None
) -> Mapping[str, Any] | None:
    """Return the counts of a level, or of one of its slices; `None` for unknown."""
    task = the_task(comparison)
    if part is None:
        whole: Mapping[str, Any] | None = task["levels"].get(level)
        return whole
    return next(
        (s for s in task["slices"] if s["name"] == part and s["level"] == level), None
    )


def level_names(comparison: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the levels, the most important first.

    JSON with sorted keys forgets the order of the counts; the settings keep it,
    and otherwise the task kind knows it.

    Raises:
        DataError: The comparison has no level.

    """
    task = the_task(comparison)
    found = sorted(task["levels"])
    if not found:
        raise DataError("this run has no level, so there is nothing to show")
    order = comparison["settings"].get("levels") or _levels_of_kind(task["kind"])
    known = [level for level in order if level in found]
    return (*known, *(level for level in found if level not in known))


def _levels_of_kind(kind: str) -> tuple[str, ...]:
    return names(TASKS.load(kind)().levels) if kind in TASKS.names() else ()
