"""The task of an earlier run, as its manifest describes it."""

from collections.abc import Mapping
from typing import Any

from compat_eval.core.errors import DataError
from compat_eval.core.protocols import Task
from compat_eval.suite.suite import Suite
from compat_eval.tasks import task


def recorded_task(manifest: Mapping[str, Any]) -> Task:
    """Return the task with the settings that a run had.

    Args:
        manifest: With `suite` (its config, or `None`) and `task` (kind, options).

    Raises:
        DataError: The manifest does not say which task it was.
        UsageError: The task kind is not installed.

    """
    config, described = manifest.get("suite"), manifest.get("task")
    if config is not None:
        return Suite.from_config(config).task
    if not isinstance(described, Mapping) or "kind" not in described:
        raise DataError("the manifest does not say which task was compared")
    return task(described["kind"], **described.get("options", {}))
