"""`run:` one role of an earlier run directory."""

from collections.abc import Collection
from pathlib import Path

from compat_eval.core.errors import UsageError
from compat_eval.core.predictions import (
    CORRECT_PREFIX,
    MISSING,
    Predictions,
)
from compat_eval.core.recorded import Recorded, Request
from compat_eval.runs.directory import read_run
from compat_eval.runs.seal import require_unchanged


def read(location: str, request: Request) -> Recorded:
    """Read `DIR#ROLE`; without a role, the one that the gates judged.

    Raises:
        UsageError: The run has no such role.
        DataError: The directory is no run, a damaged one, or one that was changed.

    """
    folder, _, role = location.partition("#")
    run = read_run(Path(folder).expanduser())
    require_unchanged(run.path, run.manifest)
    role = role or run.judged[1]
    if role not in run.answers:
        raise UsageError(
            f"{request.name}: the run has the roles {', '.join(run.answers)}; "
            f"got {role!r}"
        )
    stored = run.answers[role]
    provenance = dict(run.manifest["roles"].get(role, {}))
    there = ~stored.missing()
    return Recorded(
        name=request.name,
        predictions=_answers(
            stored.take(there), provenance.get("graded_by_file") or ()
        ),
        examples=run.examples.take(there),
        fingerprint=str(provenance.get("fingerprint", "")),
        provenance={**provenance, "kind": "earlier run", "role": role},
    )


def _answers(stored: Predictions, graded_by_file: Collection[str]) -> Predictions:
    """Leave out what the run added: the task's grades, and marks."""
    added = [
        name
        for name in stored.table.column_names
        if name == MISSING
        or (
            name.startswith(CORRECT_PREFIX)
            and name.removeprefix(CORRECT_PREFIX) not in graded_by_file
        )
    ]
    return stored.without(added)


def recognises(path: Path) -> bool:
    """Whether a path without a scheme looks like a run directory."""
    folder = Path(str(path).partition("#")[0])
    return (folder / "comparison.json").is_file()
