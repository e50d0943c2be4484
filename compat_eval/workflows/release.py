"""Many suites, one verdict: plan, compare each, judge all together, write."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from compat_eval.comparison.compare import judged_update
from compat_eval.comparison.pooled import judge_pooled, pooled_claims
from compat_eval.comparison.update import Update
from compat_eval.core.errors import CompatEvalError, CoverageError
from compat_eval.core.estimate import rounded
from compat_eval.core.progress import Progress
from compat_eval.core.verdict import Verdict
from compat_eval.gates import (
    ALONE,
    OtherClaims,
    Outcome,
    PooledGate,
    SuiteOutcome,
    Tier,
    decide,
)
from compat_eval.runner.loaded import LoadedModels
from compat_eval.runs.claim import claim, next_run_directory
from compat_eval.runs.directory import Run
from compat_eval.runs.encoding import SCHEMA_VERSION
from compat_eval.runs.environment import environment
from compat_eval.runs.releases import Release, is_release, read_release, write_release
from compat_eval.runs.seal import FILES, SELF
from compat_eval.suite.policy import Policy
from compat_eval.workflows.compare import Aligned, align_sides
from compat_eval.workflows.manifest import facts_of
from compat_eval.workflows.options import Options
from compat_eval.workflows.release_plan import PlannedSuite, fitted, identity, planned
from compat_eval.workflows.run import Render, as_run
from compat_eval.workflows.verify import restored, was_changed

RenderRelease: TypeAlias = Callable[[Release], dict[str, bytes]]
"""Makes the reports of a release."""

Follow: TypeAlias = Callable[[int, int, str, str], None]
"""Is told which suite of how many is done, its name, and what became of it."""


T = TypeVar("T")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseTerms:
    """What is demanded of all suites together.

    Attributes:
        name: Of the release.
        pooled: Gates on several suites.
        tolerate: How many supporting suites may fail or stay undecided.
        correction: How all gates share the allowed error.
        confidence: Of the whole verdict.
        notes: What a reader must know.

    """

    name: str
    pooled: tuple[PooledGate, ...] = ()
    tolerate: int = 0
    correction: str = "holm"
    confidence: float = 0.95
    notes: tuple[str, ...] = ()

    @property
    def alpha(self) -> float:
        """The allowed chance of a wrong verdict."""
        return round(1 - self.confidence, 12)


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
) -> Release:
    """Compare every suite of a policy, judge all gates together, and write it down.

    A suite that cannot be compared does not lose the others. Suites of an earlier
    release in `out` whose files, gates and settings are the same are not read again.

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
                found = _measured(one, policy, earlier, models, progress)
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
    except CoverageError as error:
        found = replace(outcome, outcome=Outcome.DIFFERS, reason=str(error))
        return MeasuredSuite(outcome=found)
    except CompatEvalError as error:
        found = replace(outcome, outcome=Outcome.UNREADABLE, reason=str(error))
        return MeasuredSuite(outcome=found)
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
        found[_pooled_key(at)] = pooled_claims(gate, _of_gate(gate, updates))
    return found


def _pooled_key(at: int) -> str:
    return f"pooled[{at}]"  # no name of a suite has brackets


def others_than(claims: Mapping[str, OtherClaims], name: str) -> OtherClaims:
    """Return the claims of all but one; none beside what does not decide."""
    if name not in claims:
        return ALONE
    return sum((one for key, one in claims.items() if key != name), start=ALONE)


def deciding_updates(measured: Sequence[MeasuredSuite]) -> dict[str, Update]:
    """Return the updates of suites that decide, by name."""
    return {
        one.outcome.name: judged_update(one.aligned.panel, one.aligned.roles)
        for one in measured
        if one.aligned is not None and one.outcome.tier.decides
    }


def _of_gate(gate: PooledGate, of_suites: Mapping[str, T]) -> dict[str, T]:
    """Return what belongs to the suites that a gate is about."""
    return {
        name: one
        for name, one in of_suites.items()
        if not gate.suites or name in gate.suites
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


def release_content(
    outcomes: Sequence[SuiteOutcome],
    comparisons: Mapping[str, Mapping[str, Any]],
    updates: Mapping[str, Update],
    terms: ReleaseTerms,
    *,
    claims: Mapping[str, OtherClaims],
) -> dict[str, Any]:
    """Return the content of `release.json`: no times, no paths.

    Args:
        outcomes: How each suite ended; verdicts are those of `comparisons`.
        comparisons: What was found of each suite that was compared.
        updates: The updates of suites that decide.
        terms: What is demanded of all together.
        claims: Of all that decides.

    """
    ended = [
        replace(one, verdict=Verdict(comparisons[one.name]["verdict"]))
        if one.name in comparisons
        else one
        for one in outcomes
    ]
    doubts = {
        name: [f"{name}: {doubt}" for doubt in comparisons[name]["doubts"]]
        for name in updates
    }
    for one in ended:
        if one.tier.decides and one.name not in comparisons:
            doubts[one.name] = [f"{one.name} was not compared"]
    pooled = [
        {
            "name": gate.name,
            "suites": list(gate.suites),
            "compared": list(_of_gate(gate, updates)),
            **judge_pooled(
                gate,
                _of_gate(gate, updates),
                alpha=terms.alpha,
                correction=terms.correction,
                doubts=[*chain(*_of_gate(gate, doubts).values())],
                others=others_than(claims, _pooled_key(at)),
            ).to_dict(),
        }
        for at, gate in enumerate(terms.pooled)
    ]
    decision = decide(
        ended,
        [(one["name"], Verdict(one["verdict"])) for one in pooled],
        tolerate=terms.tolerate,
    )
    content = {
        "schema_version": SCHEMA_VERSION,
        "name": terms.name,
        "verdict": str(decision.verdict),
        "decision": {
            "failed": list(decision.failed),
            "blocked": list(decision.blocked),
            "undecided": list(decision.undecided),
            "tolerated": list(decision.tolerated),
        },
        "settings": {
            "confidence": terms.confidence,
            "correction": terms.correction,
            "tolerate": terms.tolerate,
            "claims_kept": sum(len(one.kept) for one in claims.values()),
            "claims_broken": sum(len(one.broken) for one in claims.values()),
        },
        "suites": [_suite_content(one, comparisons.get(one.name)) for one in ended],
        "pooled": pooled,
        "notes": list(terms.notes),
    }
    return dict(rounded(content))


def _suite_content(
    outcome: SuiteOutcome, comparison: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return one suite of `release.json`."""
    said = {
        "name": outcome.name,
        "tier": str(outcome.tier),
        "required": outcome.required,
        "outcome": str(outcome.outcome),
        "verdict": str(outcome.verdict),
        "reason": outcome.reason,
    }
    if comparison is None:
        return said
    (task,) = comparison["tasks"]
    main = task["levels"][0]["name"]
    counted = task["updates"][0]["levels"][main]
    return {
        **said,
        "kind": task["kind"],
        "n_examples": task["n_examples"],
        "level": main,
        "units": counted["units"],
        "counts": counted["counts"],
        "gates": comparison["gates"],
    }
