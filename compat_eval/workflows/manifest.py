"""What a run writes down of itself, and how it is read again.

The manifest holds everything needed to understand, verify and repeat a run; the tables
of roles also hold `missing` (rows that a role lacks, with `--on-missing bound`) and
the grades of levels whose units are examples.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.comparison.panel import Panel
from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import (
    CORRECT_PREFIX,
    MISSING,
    Predictions,
)
from compat_eval.core.recorded import Recorded
from compat_eval.runs.directory import recorded_task
from compat_eval.runs.encoding import SCHEMA_VERSION
from compat_eval.runs.environment import environment
from compat_eval.workflows.options import Options
from compat_eval.workflows.questions import Questions

_OF_SIDES = (
    "old_fields",
    "new_fields",
    "gold_fields",
    "keep",
    "old_keep",
    "new_keep",
    "old_reading",
    "new_reading",
    "gold_reading",
)
"""What options say of single files; told where a user gave them."""


def manifest(
    *,
    facts: Mapping[str, Any],
    asked: Questions,
    roles: Mapping[str, Mapping[str, Any]],
    options: Options,
    started: datetime,
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """Return the content of `manifest.json`.

    `facts` are those of `facts_of`, `roles` says of each role what answered.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "created": started.isoformat(timespec="seconds"),
        "roles": {role: dict(one) for role, one in roles.items()},
        "suite": None if asked.suite is None else dict(asked.suite.config),
        "suite_fingerprint": None if asked.suite is None else asked.suite.fingerprint(),
        "task": {
            "kind": asked.task.kind,
            "levels": list(asked.levels),
            "options": dict(options.task_options),
        },
        "demands": demands_config(asked),
        "options": _told(options),
        "facts": dict(facts),
        "environment": environment(now=started),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
    }


def _told(options: Options) -> dict[str, Any]:
    """Return what was asked for, whether it can change a number or not, JSON-ready."""
    return {
        **options.deciding(),
        "device": options.device,
        "dtype": options.dtype,
        "token_budget": options.token_budget,
        "trust_remote_code": options.trust_remote_code,
        "allow_pickle": options.allow_pickle,
        "offline": options.offline,
        "label_map": dict(options.label_map),
        "fields": dict(options.fields),
        **{
            name: dict(getattr(options, name))
            for name in _OF_SIDES
            if getattr(options, name)
        },
    }


def facts_of(comparison: Mapping[str, Any]) -> dict[str, Any]:
    """Return what comparison.json holds and the tables do not tell.

    `verify` computes a run from these, the manifest and the tables.
    """
    updates = comparison["tasks"][0]["updates"]
    return {
        "name": comparison["suite"],
        "unasked": {k: one["unasked"] for k, one in comparison["coverage"].items()},
        "left_out": comparison["left_out"],
        "doubts": comparison["doubts"],
        "notes": comparison["notes"],
        "roles": {
            **_compared(updates),
            "index": comparison["tasks"][0].get("matrix", {}).get("roles"),
        },
        "labels": updates[0]["analyses"]["labels"],
        "others": comparison["settings"].get("others"),
        "mitigations": [
            {"role": one["new"], "facts": one["mitigation"]}
            for one in updates
            if "mitigation" in one
        ],
    }


def _compared(updates: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return which roles were compared, besides OLD's second run and mitigations."""
    judged, *others = updates
    told = ("noise", "mitigation")
    return {
        "judged": [judged["old"], judged["new"]],
        "pooled": judged.get("pairs", []),
        "others": [
            [one["old"], one["new"]]
            for one in others
            if "mitigation" not in one and not any(n in one["analyses"] for n in told)
        ],
    }


def demands_config(asked: Questions) -> dict[str, Any] | None:
    """Return the gates as a gates file would write them; `None` without any."""
    return None if asked.demands is None else dict(asked.demands.config)


def role_facts(side: Recorded, graded_by_file: Sequence[str]) -> dict[str, Any]:
    """Return what the manifest says of a role.

    `graded_by_file` names the levels that a file and not the task has graded.
    """
    return {
        "reference": side.name,
        "fingerprint": side.fingerprint,
        "describe": dict(side.provenance),
        "graded_by_file": list(graded_by_file),
    }


_DECIDING = (
    *("split", "limit", "seed", "on_mismatch", "on_missing", "trust_correct"),
    *("max_errors", "aa", "normalise", "label_map", "index"),
    *("tolerance", "below_old", "retire_old", "backfill"),
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
    from pydantic import ValidationError  # noqa: PLC0415 - files need no suite

    from compat_eval.suite.suite import Suite  # noqa: PLC0415
    from compat_eval.suite.yaml.gates import GatesFile  # noqa: PLC0415

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


def stored(panel: Panel, role: str) -> Predictions:
    """Add which rows are missing, and whether each example is right.

    The latter for levels whose units are examples.
    """
    side = panel.answers[role]
    if any(missing.any() for missing in panel.missing.values()):
        side = side.with_column(MISSING, pa.array(panel.missing[role]))
    for level, found in panel.grades(role).items():
        if CORRECT_PREFIX + level in side:
            continue  # as their file gave them
        if found.n_units == len(side) and found.values.dtype == np.bool_:
            side = side.with_column(CORRECT_PREFIX + level, pa.array(found.right))
    return side


def ungraded(side: Predictions, *, keep: Sequence[str]) -> Predictions:
    """Leave out the grades that the task gave, to be given again."""
    given = [CORRECT_PREFIX + level for level in side.graded_levels()]
    drop = [name for name in given if name.removeprefix(CORRECT_PREFIX) not in keep]
    return side.without(drop)
