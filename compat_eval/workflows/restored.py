"""What was asked and demanded, again, from what a run or its parts wrote down."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.runs.directory import recorded_task
from compat_eval.suite.suite import Suite
from compat_eval.suite.yaml.gates import GatesFile
from compat_eval.workflows.options import Options
from compat_eval.workflows.questions import Questions

_DECIDING = (
    *("split", "limit", "seed", "on_mismatch", "on_missing", "trust_correct"),
    *("max_errors", "aa", "normalise", "label_map"),
)


def restored_questions(
    recorded: Mapping[str, Any],
    examples: Examples,
    *,
    name: str,
    partial: bool = False,
) -> Questions:
    """Return what was asked, from the fields of a manifest.

    Args:
        recorded: With `suite`, `task` and `demands`, as `manifest.json` has them.
        examples: What was asked.
        name: Of the comparison.
        partial: Whether `--limit` left examples out.

    Raises:
        DataError: The fields describe nothing that can be restored.

    """
    try:
        demands = recorded["demands"]
        gates = None if demands is None else GatesFile.model_validate(demands).demands()
        config = recorded["suite"]
        suite = None if config is None else Suite.from_config(config)
        levels = tuple(recorded["task"]["levels"])
    except (KeyError, TypeError, ValidationError) as error:
        raise DataError(f"the manifest does not say what was asked: {error}") from error
    return Questions(
        name=name,
        task=recorded_task(recorded),
        levels=levels,
        examples=examples,
        labels=(),
        demands=gates,
        suite=suite,
        partial=partial,
    )


def restored_options(recorded: Mapping[str, Any]) -> Options:
    """Return the options that decided the numbers.

    Args:
        recorded: With `options` and `task`, as `manifest.json` has them.

    """
    options = recorded["options"]
    return Options(
        task_options=recorded["task"].get("options", {}),
        **{key: options[key] for key in _DECIDING if key in options},
    )
