"""`run:` one side of an earlier run directory."""

from collections.abc import Collection
from pathlib import Path

from compat_eval.core.errors import UsageError
from compat_eval.core.predictions import (
    AGAIN_PREFIX,
    CORRECT_PREFIX,
    MISSING,
    Predictions,
)
from compat_eval.core.recorded import Recorded, Request
from compat_eval.runs.directory import read_run
from compat_eval.runs.seal import require_unchanged


def read(location: str, request: Request) -> Recorded:
    """Read `DIR#old` or `DIR#new`; without a side, the new one.

    Raises:
        UsageError: The side is neither.
        DataError: The directory is no run, a damaged one, or one that was changed.

    """
    folder, _, side = location.partition("#")
    side = side or "new"
    if side not in ("old", "new"):
        raise UsageError(f"{request.name}: the side must be old or new; got {side!r}")
    run = read_run(Path(folder).expanduser())
    require_unchanged(run.path, run.manifest)
    provenance = dict(run.manifest.get(side, {}))
    stored = run.old if side == "old" else run.new
    there = ~stored.missing()
    return Recorded(
        name=request.name,
        predictions=_answers(
            stored.take(there), provenance.get("graded_by_file") or ()
        ),
        examples=run.examples.take(there),
        fingerprint=str(provenance.get("fingerprint", "")),
        provenance={**provenance, "kind": "earlier run", "side": side},
    )


def _answers(stored: Predictions, graded_by_file: Collection[str]) -> Predictions:
    """Leave out what the run added: the task's grades, marks, and OLD's second run."""
    added = [
        name
        for name in stored.table.column_names
        if name == MISSING
        or name.startswith(AGAIN_PREFIX)
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
