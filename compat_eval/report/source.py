"""What a report is made of: one run directory, read."""

from typing import Any, Protocol

from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions


class Run(Protocol):
    """The parts of a run that reports read; rows are in one order everywhere."""

    @property
    def comparison(self) -> dict[str, Any]:
        """The content of `comparison.json`."""

    @property
    def manifest(self) -> dict[str, Any]:
        """The content of `manifest.json`."""

    @property
    def examples(self) -> Examples:
        """The questions."""

    @property
    def old(self) -> Predictions:
        """The old model's answers, graded."""

    @property
    def new(self) -> Predictions:
        """The new model's answers, graded."""


def the_task(comparison: dict[str, Any]) -> dict[str, Any]:
    """Return the one task of a comparison.

    Raises:
        DataError: There is none, or more than one.

    """
    tasks = comparison["tasks"]
    if len(tasks) != 1:
        raise DataError(f"a report shows exactly one task; this run has {len(tasks)}")
    task: dict[str, Any] = tasks[0]
    return task


def first_level(task: dict[str, Any]) -> str:
    """Return the level that matters most: what the task kind names first."""
    return level_names(task)[0]


def level_names(task: dict[str, Any]) -> tuple[str, ...]:
    """Return a task's levels, the most important first.

    JSON with sorted keys forgets the order; the task kind knows it. A kind that
    is not installed here leaves alphabetical order.
    """
    from compat_eval.tasks import TASKS  # noqa: PLC0415

    found = sorted(task["levels"])
    if task["kind"] not in TASKS.names():
        return tuple(found)
    known = [level for level in TASKS.load(task["kind"])().levels if level in found]
    return (*known, *(level for level in found if level not in known))
