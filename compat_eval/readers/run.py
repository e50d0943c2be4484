"""`run:` one side of an earlier run directory."""

from pathlib import Path

from compat_eval.core.errors import UsageError
from compat_eval.core.recorded import Recorded, Request
from compat_eval.runs.directory import read_run


def read(location: str, request: Request) -> Recorded:
    """Read `DIR#old` or `DIR#new`; without a side, the new one.

    Raises:
        UsageError: The side is neither.
        DataError: The directory is no run, or a damaged one.

    """
    folder, _, side = location.partition("#")
    side = side or "new"
    if side not in ("old", "new"):
        raise UsageError(f"{request.name}: the side must be old or new; got {side!r}")
    run = read_run(Path(folder).expanduser())
    provenance = dict(run.manifest.get(side, {}))
    return Recorded(
        name=request.name,
        predictions=run.old if side == "old" else run.new,
        examples=run.examples,
        fingerprint=str(provenance.get("fingerprint", "")),
        provenance={**provenance, "kind": "earlier run", "side": side},
    )


def recognises(path: Path) -> bool:
    """Whether a path without a scheme looks like a run directory."""
    folder = Path(str(path).partition("#")[0])
    return (folder / "comparison.json").is_file()
