"""Where a run comes from: everything needed to understand, verify and repeat it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from compat_eval.core.recorded import Recorded
from compat_eval.runs.environment import environment
from compat_eval.runs.schema import SCHEMA_VERSION
from compat_eval.workflows.options import Options
from compat_eval.workflows.questions import Questions


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
        "options": {
            **options.deciding(),
            "device": options.device,
            "dtype": options.dtype,
            "token_budget": options.token_budget,
            "trust_remote_code": options.trust_remote_code,
            "allow_pickle": options.allow_pickle,
            "offline": options.offline,
            "label_map": dict(options.label_map),
            "fields": dict(options.fields),
        },
        "facts": dict(facts),
        "environment": environment(now=started),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
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
        "roles": _compared(updates),
        "labels": updates[0]["analyses"]["labels"],
        "mitigations": {
            one["new"]: one["mitigation"] for one in updates if "mitigation" in one
        },
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
