"""`baseline:` what production answered, from the file that `baseline save` wrote."""

from dataclasses import replace
from pathlib import Path

from compat_eval.core.recorded import Recorded, Request
from compat_eval.readers.files import read_rows
from compat_eval.runs.baselines import SUFFIX, baseline_path, read_baseline


def read(location: str, request: Request) -> Recorded:
    """Read `NAME` from the folder of baselines, or the file of one.

    Raises:
        UsageError: There is no such baseline.
        DataError: It is damaged, or was changed.

    """
    found = read_baseline(baseline_path(location))
    ours = replace(request, fields={}, keep={}, reading={}, of_others=(), pair_by="id")
    side = read_rows(found.table, ours)
    when = "given" if found.facts.get("answered") else "saved"
    day = str(found.facts.get("answered") or found.facts.get("saved") or "?")[:10]
    told = f"The answers of {request.name} were {when} on {day}."
    return replace(
        side,
        fingerprint=found.digest,
        notes=(*side.notes, told),
        provenance={**found.facts, "kind": "baseline"},
    )


def recognises(path: Path) -> bool:
    """Whether a path without a scheme looks like a baseline."""
    return path.suffix == SUFFIX and path.is_file()
