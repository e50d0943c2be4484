"""Many suites, one verdict: plan, compare each, judge all together, write."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from compat_eval.comparison.compare import judged_update
from compat_eval.comparison.pooled import pooled_claims
from compat_eval.comparison.update import Update
from compat_eval.core.errors import CompatEvalError, CoverageError
from compat_eval.core.progress import Progress
from compat_eval.gates import OtherClaims
from compat_eval.gates.release import Outcome, SuiteOutcome, Tier
from compat_eval.runner.loaded import LoadedModels
from compat_eval.runs.claim import claim, next_run_directory
from compat_eval.runs.directory import Run
from compat_eval.runs.environment import environment
from compat_eval.runs.releases import Release, is_release, read_release, write_release
from compat_eval.runs.seal import FILES, SELF
from compat_eval.suite.policy import Policy
from compat_eval.workflows.compare import Aligned, align_sides
from compat_eval.workflows.manifest import facts_of
from compat_eval.workflows.options import Options
from compat_eval.workflows.release_content import (
    ReleaseTerms,
    of_gate,
    others_than,
    pooled_key,
    release_content,
)
from compat_eval.workflows.release_plan import PlannedSuite, fitted, identity, planned
from compat_eval.workflows.run import Render, as_run
from compat_eval.workflows.verify import restored, was_changed

RenderRelease: TypeAlias = Callable[[Release], dict[str, bytes]]
"""Makes the reports of a release."""

Follow: TypeAlias = Callable[[int, int, str, str], None]
"""Is told which suite of how many is done, its name, and what became of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredSuite:
    """A suite whose answers are aligned, or the reason why they are not.

    Attributes:
        outcome: Without a verdict as yet.
        aligned: The answers; `None` where there is nothing to judge.
        options: How they were read.
        inputs: What decided them, as one digest; `None` where that is not known.
        earlier: The run of an earlier release that they come from.

    """

    outcome: SuiteOutcome
    aligned: Aligned | None = None
    options: Options | None = None
    inputs: str | None = None
    earlier: Run | None = None


def release(
    policy: Policy,
    options: Options,
    *,
    old: str | None = None,
    new: str | None = None,
    render: Render,
    render_release: RenderRelease,
    out: Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    follow: Follow = lambda *_: None,
    mendable: bool = False,
) -> Release:
    """Compare every suite of a policy, judge all gates together, and write it down.

    A suite that cannot be compared does not lose the others. Suites of an earlier
    release in `out` whose files, gates and settings are the same are not read again.

    Args:
        policy: What is compared, and what it may lose.
        options: How files are read and models are asked.
        old: OLD, for suites of which the policy does not say it.
        new: NEW, likewise.
        render: Renders the reports of a suite.
        render_release: Renders those of the release.
        out: The directory; `None` for the next one below `runs/`.
        overwrite: Whether a finished release there is replaced.
        progress: Told of questions to models.
        follow: Told of each suite.
        mendable: Raise what an option of the command line would mend.

    Raises:
        CompatEvalError: The policy does not say what is compared, or the directory
            cannot be written.

    """
    suites, notes = planned(policy, options, old=old, new=new)
    terms = ReleaseTerms(
        name=policy.name,
        pooled=policy.pooled,
        tolerate=policy.tolerate,
        correction=policy.correction,
        confidence=policy.confidence,
        notes=(*policy.notes, *notes),
    )
    reserved = out is None
    place = next_run_directory(Path("runs"), policy.name) if out is None else out
    earlier = _earlier(place)
    unfinished = earlier is not None and bool(earlier.content["decision"]["blocked"])
    with claim(place, overwrite=overwrite or unfinished, reserved=reserved) as claimed:
        started = datetime.now(UTC)
        measured = []
        with LoadedModels() as models:
            for at, one in enumerate(suites, start=1):
                found = _measured(
                    one, policy, earlier, models, progress, mendable=mendable
                )
                follow(at, len(suites), one.name, _told(found))
                measured.append(found)
        runs = dict(_judged(measured, terms, path=claimed.path, started=started))
        updates = deciding_updates(measured)
        content = release_content(
            [one.outcome for one in measured],
            {name: run.comparison for name, run in runs.items()},
            updates,
            terms,
            claims=suite_claims(measured, terms),
        )
        made = Release(
            path=claimed.path,
            content=content,
            manifest={
                "created": started.isoformat(timespec="seconds"),
                "policy": dict(policy.config),
                "old": old,
                "new": new,
                "environment": environment(now=started),
            },
            runs=runs,
        )
        write_release(
            made,
            files=render_release(made),
            run_reports={name: render(run) for name, run in runs.items()},
            claimed=claimed,
        )
    return made


def _earlier(place: Path) -> Release | None:
    """Return the release that is there already; `None` where nothing can be reused."""
    try:
        return read_release(place) if is_release(place) else None
    except CompatEvalError:
        return None


def _measured(
    planned_suite: PlannedSuite,
    policy: Policy,
    earlier: Release | None,
    models: LoadedModels,
    progress: Progress | None,
    *,
    mendable: bool,
) -> MeasuredSuite:
    """Read or ask both sides of a suite; what goes wrong with it is its outcome."""
    rule = planned_suite.rule
    outcome = SuiteOutcome(
        name=planned_suite.name,
        tier=Tier(rule.tier),
        required=rule.must_be_there,
    )
    if planned_suite.missing:
        return MeasuredSuite(
            outcome=replace(
                outcome, outcome=Outcome.MISSING, reason=planned_suite.missing
            )
        )
    assert planned_suite.old is not None
    assert planned_suite.new is not None
    try:
        inputs = identity(planned_suite, policy)
        known = None if earlier is None else earlier.runs.get(planned_suite.name)
        if known is not None and inputs and _is_same(known, inputs):
            aligned: Aligned = restored(known)
        else:
            known = None
            aligned = align_sides(
                planned_suite.old,
                planned_suite.new,
                planned_suite.options,
                progress=progress,
                kept=models,
            )
            aligned = replace(aligned, demands=fitted(rule, aligned, policy))
        aligned.claims()  # a gate on what is not there is told of this suite
    except CompatEvalError as error:
        if mendable and error.cure:
            raise
        differs = isinstance(error, CoverageError)
        found = Outcome.DIFFERS if differs else Outcome.UNREADABLE
        return MeasuredSuite(outcome=replace(outcome, outcome=found, reason=str(error)))
    return MeasuredSuite(
        outcome=outcome,
        aligned=aligned,
        options=planned_suite.options,
        inputs=inputs,
        earlier=known,
    )


def _is_same(known: Run, inputs: str) -> bool:
    """Say whether a run of an earlier release would come out alike."""
    return known.manifest.get("inputs") == inputs and not was_changed(known)


def _told(found: MeasuredSuite) -> str:
    """Say in a few words what became of a suite."""
    if found.aligned is None:
        return f"{found.outcome.outcome}: {found.outcome.reason}"
    n = len(found.aligned.panel.examples)
    again = ", as in the earlier release" if found.earlier is not None else ""
    return f"{n:,} examples{again}"


def suite_claims(
    measured: Sequence[MeasuredSuite], terms: ReleaseTerms
) -> dict[str, OtherClaims]:
    """Return the claims of all that decides: of suites, and of gates on several."""
    found = {
        one.outcome.name: one.aligned.claims()
        for one in measured
        if one.aligned is not None and one.outcome.tier.decides
    }
    updates = deciding_updates(measured)
    for at, gate in enumerate(terms.pooled):
        found[pooled_key(at)] = pooled_claims(gate, of_gate(gate, updates))
    return found


def deciding_updates(measured: Sequence[MeasuredSuite]) -> dict[str, Update]:
    """Return the updates of suites that decide, by name."""
    return {
        one.outcome.name: judged_update(one.aligned.panel, one.aligned.roles)
        for one in measured
        if one.aligned is not None and one.outcome.tier.decides
    }


def _judged(
    measured: Sequence[MeasuredSuite],
    terms: ReleaseTerms,
    *,
    path: Path,
    started: datetime,
) -> Iterator[tuple[str, Run]]:
    """Yield the run of each suite, its gates judged among those of all others."""
    claims = suite_claims(measured, terms)
    for one in measured:
        if one.aligned is None:
            continue
        name = one.outcome.name
        compared = one.aligned.compared(others_than(claims, name))
        if one.earlier is not None:
            content = compared.comparison.to_dict()
            unsealed = {
                key: value
                for key, value in one.earlier.manifest.items()
                if key not in (FILES, SELF)
            }
            manifest = {**unsealed, "facts": facts_of(content)}
            yield name, replace(one.earlier, comparison=content, manifest=manifest)
            continue
        assert one.options is not None
        run = as_run(
            compared, one.options, path=path / name, started=started, seconds={}
        )
        demands = dict(one.aligned.demands.config)
        manifest = {**run.manifest, "demands": demands, "inputs": one.inputs}
        yield name, replace(run, manifest=manifest)
