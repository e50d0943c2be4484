"""Whether a release is what was written, and follows from its runs."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from compat_eval.core.errors import UsageError
from compat_eval.gates import ALONE
from compat_eval.gates.release import Outcome, SuiteOutcome, Tier, pooled_gate
from compat_eval.runs.directory import Run
from compat_eval.runs.releases import Release, suite_folder
from compat_eval.runs.seal import changed_files, is_sealed
from compat_eval.workflows.release import (
    MeasuredSuite,
    deciding_updates,
    suite_claims,
)
from compat_eval.workflows.release_content import (
    ReleaseTerms,
    others_than,
    release_content,
)
from compat_eval.workflows.verify import (
    Difference,
    by_this_code,
    differences,
    restored,
    verify,
)

_ReleaseReports = Callable[[Release], Mapping[str, Sequence[bytes]]]
_RunReports = Callable[[Run], Mapping[str, Sequence[bytes]]]

_WRITTEN = "what was written"


def verify_release(
    release: Release, reports: _ReleaseReports, run_reports: _RunReports
) -> list[Difference]:
    """Return where a release is not what it was when it was written.

    Each run is verified as it is by itself; then tiers, pooled gates and the verdict
    are computed again from the runs, and the reports of the release made again.

    Args:
        release: A release directory, read.
        reports: Makes the reports of the release.
        run_reports: Makes those of a run.

    Raises:
        DataError: A run cannot be computed again.

    """
    if not is_sealed(release.manifest):
        return [("manifest.json", "another content", "what its SHA-256 says")]
    found = [
        (f"{suite_folder(name)}/{where}", recorded, computed)
        for name, run in release.runs.items()
        for where, recorded, computed in verify(run, run_reports)
    ]
    changed = set(changed_files(release.path, release.manifest))
    if not found:
        found += differences(release.content, _recomputed_release(release))
    if not found and all(map(by_this_code, release.runs.values())):
        changed -= {*reports(release)}
        changed |= set(_remade(release, reports))
        changed = {name for name in changed if not _is_report_of_a_run(name)}
    return [*found, *((name, "another content", _WRITTEN) for name in sorted(changed))]


def _remade(release: Release, reports: _ReleaseReports) -> list[str]:
    """Return the reports of the release that are not as they would be made now."""
    return [
        name
        for name, contents in reports(release).items()
        if not (release.path / name).is_file()
        or (release.path / name).read_bytes() not in contents
    ]


def _is_report_of_a_run(name: str) -> bool:
    """Say whether a file was verified with its run already."""
    return Path(name).name in ("report.html", "junit.xml", "summary.md") and "/" in name


def _recomputed_release(release: Release) -> dict[str, Any]:
    """Return `release.json` as it follows from the runs.

    Raises:
        UsageError: The suites were not judged together.

    """
    content = release.content
    measured = [_as_measured(one, release) for one in content["suites"]]
    terms = _terms(content)
    claims = suite_claims(measured, terms)
    for name, run in release.runs.items():
        found = run.comparison["settings"].get("others")
        expected = others_than(claims, name)
        if (found or ALONE.to_dict()) != expected.to_dict():
            raise UsageError(
                f"{release.path}: suite {name} was not judged among the gates of "
                "the others; run the release again"
            )
    return release_content(
        [one.outcome for one in measured],
        {name: run.comparison for name, run in release.runs.items()},
        deciding_updates(measured),
        terms,
        claims=claims,
    )


def _as_measured(said: Mapping[str, Any], found: Release) -> MeasuredSuite:
    run = found.runs.get(said["name"])
    return MeasuredSuite(
        outcome=SuiteOutcome(
            name=said["name"],
            tier=Tier(said["tier"]),
            required=said["required"],
            outcome=Outcome(said["outcome"]),
            reason=said["reason"],
        ),
        aligned=None if run is None else restored(run),
    )


def _terms(content: Mapping[str, Any]) -> ReleaseTerms:
    """Return what was demanded of all suites together."""
    settings = content["settings"]
    return ReleaseTerms(
        name=content["name"],
        pooled=tuple(
            pooled_gate(
                quantity=one["name"],
                **{one["direction"]: one["limit"]},
                semantics=one["semantics"],
                suites=one["suites"],
            )
            for one in content["pooled"]
        ),
        tolerate=settings["tolerate"],
        correction=settings["correction"],
        confidence=settings["confidence"],
        notes=tuple(content["notes"]),
    )
