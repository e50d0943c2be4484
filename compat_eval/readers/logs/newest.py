"""The newest run of each task, where a tool writes a file a task and a run."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol, TypeVar

from compat_eval.core.errors import DataError, UsageError, some
from compat_eval.core.files import read_json


class _Logged(Protocol):
    """A run of a task; times sort as texts."""

    @property
    def task(self) -> str: ...

    @property
    def time(self) -> str: ...


_L = TypeVar("_L", bound=_Logged)


def newest(found: Iterable[_L]) -> dict[str, tuple[_L, int]]:
    """Return the newest run of each task, and how many there are."""
    ordered = sorted(found, key=lambda one: (one.task, one.time))
    grouped = {
        task: [*runs] for task, runs in groupby(ordered, key=lambda one: one.task)
    }
    return {task: (runs[-1], len(runs)) for task, runs in grouped.items()}


def said_of_newest(run: _Logged, n_runs: int, *, shown: str) -> tuple[str, ...]:
    """Return the note that older runs are left out."""
    told = (
        f"{shown}: task {run.task} was logged {n_runs} times; this is the newest run "
        f"({run.time})."
    )
    return (told,) if n_runs > 1 else ()


def require_one_model(models: Iterable[Path], path: Path) -> None:
    """Refuse a folder with logs of several models.

    Raises:
        UsageError: There are several.

    """
    names = list(dict.fromkeys(map(str, models)))
    if len(names) > 1:
        raise UsageError(
            f"{path}: holds logs of several models ({some(names)}); name the folder "
            "of one"
        )


def results_of(path: Path) -> Mapping[str, Any]:
    """Return the results of a whole run; nothing where there is no such file.

    Raises:
        DataError: They are damaged.

    """
    if not path.is_file():
        return {}
    try:
        found = read_json(path, finite=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    return found if isinstance(found, dict) else {}
