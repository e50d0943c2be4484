"""Whether a run directory is what was written, and follows from its predictions."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.comparison.compare import ComparedRoles, judge_panel
from compat_eval.comparison.index_decision.offered import OfferedRoles
from compat_eval.comparison.index_decision.result import UpgradeDecision
from compat_eval.comparison.index_matrix.roles import IndexRoles
from compat_eval.comparison.panel import Panel
from compat_eval.comparison.result import Comparison
from compat_eval.core.errors import DataError, some
from compat_eval.core.predictions import CORRECT_PREFIX
from compat_eval.core.table import columns_differ
from compat_eval.gates import ALONE, Demands, GateResult, OtherClaims
from compat_eval.runs.directory import Run, predictions_file
from compat_eval.runs.environment import own_code
from compat_eval.runs.seal import REPORTS, changed_files, is_sealed
from compat_eval.workflows.compare import Aligned, Answered
from compat_eval.workflows.manifest import (
    restored_options,
    restored_questions,
    stored,
    ungraded,
)
from compat_eval.workflows.options import Options
from compat_eval.workflows.questions import Questions, suited

Difference = tuple[str, Any, Any]
"""Where something differs, what stands there, and what was computed."""

_Reports = Callable[[Run], Mapping[str, Sequence[bytes]]]
"""Makes every content that each report of a run may have;
`compat_eval.report.render.possible` is one."""

_CODE = ("version", "commit")
_WRITTEN = "what was written"
_RELATIVE = 1e-9
_ABSOLUTE = 1e-12


def verify(run: Run, reports: _Reports | None = None) -> list[Difference]:
    """Return where a run is not what it was when it was written.

    The manifest must fit its own SHA-256, and the other files theirs. Everything is
    computed again from manifest and tables: grades from gold and predictions (unless
    a file had graded them), counts, intervals, slices, gates and the verdict. Counts,
    words and verdicts must be the same, floats up to 1e-9 of their size. Where nothing
    differs, the reports are made again, too.

    Args:
        run: A run directory, read.
        reports: Makes the reports; `None` leaves them to their SHA-256.

    Raises:
        DataError: The run cannot be computed again.

    """
    if not is_sealed(run.manifest):
        return [("manifest.json", "another content", "what its SHA-256 says")]
    changed = set(changed_files(run.path, run.manifest))
    found = _numbers(run)
    if not found and not was_changed(run):
        changed = set(_reports(run, changed, reports))
    return [*found, *((name, "another content", _WRITTEN) for name in sorted(changed))]


def _numbers(run: Run) -> list[Difference]:
    try:
        again = recomputed(run)
        found = _grades(run, again.tasks[0].panel)
        return [*found, *differences(run.comparison, again.to_dict())]
    except Exception:
        # A file that was changed can be wrong in any way, and is named anyhow.
        if was_changed(run):
            return []
        raise


def _reports(run: Run, changed: set[str], reports: _Reports | None) -> Iterator[str]:
    """Yield the reports that are neither as they were written nor as they would be."""
    if reports is None:
        yield from changed
        return
    ours = by_this_code(run)
    for name, contents in reports(run).items():
        path = run.path / name
        if path.is_file() and path.read_bytes() in contents:
            continue
        if name in changed or ours:
            yield name


def was_changed(run: Run) -> bool:
    """Say whether a file other than a report is not as it was written."""
    if not is_sealed(run.manifest):
        return True
    return not set(REPORTS).issuperset(changed_files(run.path, run.manifest))


def by_this_code(run: Run) -> bool:
    """Say whether the code that runs is the one that wrote a run."""
    here, there = own_code(), run.manifest["environment"]["code"]
    return all(here[key] == there[key] for key in _CODE)


def recomputed(run: Run) -> Comparison:
    """Compare a run's roles again.

    Raises:
        DataError: The manifest does not say how.

    """
    aligned, others = restored(run), run.manifest["facts"].get("others")
    claims = ALONE if others is None else OtherClaims.from_dict(others)
    try:
        return aligned.compared(claims).comparison
    except (KeyError, IndexError, TypeError) as error:
        raise DataError(f"{run.path}: cannot be computed again: {error!r}") from error


def restored(run: Run) -> Aligned:
    """Return a run's answers as they were before anything was judged.

    Raises:
        DataError: The manifest does not say how they were compared.

    """
    try:
        recorded = run.manifest["facts"]
        asked = restored_questions(run.manifest, run.examples, name=recorded["name"])
        answers = [run.answers[role] for role in run.manifest["roles"]]
        asked = suited(asked, [run.examples], answers)
        options = restored_options(run.manifest)
        return Aligned(
            panel=_panel(run, asked, seed=options.seed),
            roles=replace(
                _roles(recorded["roles"]), offered=_offered(run.comparison, options)
            ),
            demands=asked.demands or Demands(),
            asked=asked,
            answered=Answered(sides={}),
            known={
                "doubts": recorded["doubts"],
                "max_errors": options.max_errors,
                "labels": recorded["labels"],
                "notes": recorded["notes"],
                "settings": options.deciding(),
                "mitigations": {
                    one["role"]: one["facts"] for one in recorded["mitigations"]
                },
                "left_out": recorded["left_out"],
            },
        )
    except (KeyError, IndexError, TypeError) as error:
        raise DataError(f"{run.path}: cannot be computed again: {error!r}") from error


def judged_again(run: Run, demands: Demands) -> tuple[GateResult, ...]:
    """Judge other gates on what a run recorded, with all doubts that it has.

    Raises:
        DataError: The manifest does not say how the run was compared.
        SuiteError: A gate names a quantity, level or slice that is not there.

    """
    aligned, doubts = restored(run), run.comparison["doubts"]
    return judge_panel(
        aligned.panel, demands=demands, roles=aligned.roles, doubts=doubts
    )


def _roles(recorded: Mapping[str, Any]) -> ComparedRoles:
    index = recorded.get("index")
    return ComparedRoles(
        judged=tuple(recorded["judged"]),
        pooled=tuple(map(tuple, recorded["pooled"])),
        others=tuple(map(tuple, recorded["others"])),
        index=None if index is None else IndexRoles.from_dict(index),
    )


def _offered(comparison: Mapping[str, Any], options: Options) -> OfferedRoles | None:
    """Return which roles were ways to upgrade, judged as the options say."""
    found = comparison["tasks"][0].get("decision")
    if found is None:
        return None
    offered = OfferedRoles.of(UpgradeDecision.from_dict(found))
    return replace(offered, tolerance=options.index_tolerance())


def _panel(run: Run, asked: Questions, *, seed: int) -> Panel:
    """Return a run's roles without the grades that the task gave."""
    roles = run.manifest["roles"]
    answers = {
        role: ungraded(side, keep=roles.get(role, {}).get("graded_by_file", ()))
        for role, side in run.answers.items()
    }
    return Panel(
        name=asked.name,
        task=asked.task,
        levels=asked.levels,
        seed=seed,
        examples=run.examples,
        answers=answers,
        missing={role: side.missing() for role, side in answers.items()},
        unasked=run.manifest["facts"]["unasked"],
    )


def _grades(run: Run, panel: Panel) -> Iterator[Difference]:
    """Yield the roles whose stored grades are not those of the task."""
    for role, side in run.answers.items():
        again = stored(panel, role)
        for column in again.table.column_names:
            if not column.startswith(CORRECT_PREFIX):
                continue
            where = f"{predictions_file(role)} {column}"
            if column not in side:
                yield where, "no such column", "grades"
                continue
            other = columns_differ(side.column(column), again.column(column))
            if other.any():
                ids = again.ids.filter(pa.array(other)).to_pylist()
                at = int(np.argmax(other))
                yield (
                    f"{where} of {some(ids)}",
                    side.column(column)[at].as_py(),
                    again.column(column)[at].as_py(),
                )


def differences(
    recorded: Mapping[str, Any],
    computed: Mapping[str, Any],
    *,
    relative: float = _RELATIVE,
) -> Iterator[Difference]:
    """Yield every field in which two comparisons differ, floats by more than that."""
    yield from _differences("", recorded, computed, relative)


def _differences(
    where: str,
    recorded: Any,  # noqa: ANN401
    computed: Any,  # noqa: ANN401
    relative: float,
) -> Iterator[Difference]:
    if isinstance(recorded, Mapping) and isinstance(computed, Mapping):
        for key in sorted({*recorded, *computed}):
            inner = f"{where}.{key}" if where else str(key)
            sides = [one.get(key, _ABSENT) for one in (recorded, computed)]
            yield from _differences(inner, sides[0], sides[1], relative)
    elif isinstance(recorded, list) and isinstance(computed, list):
        if len(recorded) != len(computed):
            yield f"{where} (length)", len(recorded), len(computed)
        for at, (one, other) in enumerate(zip(recorded, computed, strict=False)):
            yield from _differences(f"{where}[{at}]", one, other, relative)
    elif type(recorded) is not type(computed) or not _equal(
        recorded, computed, relative
    ):
        yield where, recorded, computed


class _Absent(str):
    """Stands for a field that is not there; no other text is of its type."""

    __slots__ = ()


_ABSENT = _Absent("absent")


def _equal(recorded: Any, computed: Any, relative: float) -> bool:  # noqa: ANN401
    if isinstance(recorded, float):
        return math.isclose(recorded, computed, rel_tol=relative, abs_tol=_ABSOLUTE)
    return bool(recorded == computed)
