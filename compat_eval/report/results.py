"""`comparison.json` as frozen values: the one reader behind every report.

Numbers that are undefined are nan here, as everywhere but in JSON.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from compat_eval.comparison.own_grades import graded, recorded_grades
from compat_eval.comparison.panel import stacked
from compat_eval.comparison.result import UpdateResult
from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.estimate import Estimate, as_number
from compat_eval.core.examples import Examples
from compat_eval.core.grades import Grades, Level
from compat_eval.core.predictions import CORRECT_PREFIX, Predictions
from compat_eval.core.protocols import SuitsAnswers, Task
from compat_eval.runs.directory import Run, recorded_task
from compat_eval.tasks import TASKS

if TYPE_CHECKING:
    from compat_eval.comparison.index_decision.result import UpgradeDecision
    from compat_eval.comparison.index_matrix.result import IndexMatrix

SideName: TypeAlias = Literal["old", "new"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MitigationResult:
    """What a mitigation makes of an update.

    Attributes:
        update: OLD against the mitigated NEW.
        moved: NEW against the mitigated NEW.
        errors: For how many examples the mitigated model raised.

    """

    update: UpdateResult
    moved: UpdateResult
    errors: int

    @property
    def name(self) -> str:
        """The mitigation as the user asked for it."""
        return str(self.update.mitigation["name"])

    @property
    def cost(self) -> Mapping[str, Any]:
        """How often the models are asked for an example."""
        found: Mapping[str, Any] = self.update.mitigation["cost"]
        return found

    @property
    def chosen(self) -> Mapping[str, Any]:
        """What dev chose, and from what; empty where nothing was."""
        return self.update.mitigation.get("chosen") or {}

    @property
    def effect(self) -> str:
        """One of `selective`, `mostly_old`, `unclear`, `drags_back` and `no_cut`."""
        return str(self.moved.analyses["mitigation"]["effect"])

    def changes(self, level: str) -> dict[str, Estimate]:
        """Return what it changes of NEW at a level, by statistic."""
        resampled = self.moved.analyses["mitigation"]["levels"][level].items()
        accuracy = self.moved.levels[level].change
        found = {name: Estimate.from_dict(one) for name, one in resampled}
        return {"accuracy_change": accuracy, **found}


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedGate:
    """A gate, what was found, and how it ended; numbers that nobody made are nan.

    It shows what a file says, whatever that is; a `Gate` would be checked once more.

    Attributes:
        statistic: What is limited.
        of: Of which metric, where the statistic is a loss.
        relative: Whether the loss is relative.
        rises: Whether a loss is an increase, since lower is better.
        part: In which slice; empty for all examples.
        ids: Protected examples by their ids.
        semantics: `certify`, `detect` or `protected`.
        at_least: Whether the limit is a lower one.
        bound: The one-sided bound that decided.
        alpha: The level at which it was judged.
        reason: Why, in a clause; may be empty.
        fresh: How many fresh examples would decide; 0 where none would.
        fresh_power: With which chance.

    """

    statistic: str
    of: str
    relative: bool
    rises: bool
    level: Level
    part: str
    ids: tuple[str, ...]
    semantics: str
    at_least: bool
    limit: float
    estimate: Estimate
    bound: float
    p_value: float
    alpha: float
    verdict: str
    reason: str
    fresh: int
    fresh_power: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """Everything that was found on one task.

    Attributes:
        kind: The task kind.
        n_examples: How many examples were compared.
        update: From OLD to NEW.
        mitigations: What mitigations would make of it.
        others: Further updates by their roles: of versions, or of training runs.
        analyses: Further findings by name, each of which one section knows how to
            read.
        matrix: Every encoder's queries on every encoder's index; `None` where the
            sides are no such.
        decision: What to do about OLD's index; likewise.

    """

    kind: str
    n_examples: int
    update: UpdateResult
    mitigations: tuple[MitigationResult, ...]
    others: Mapping[tuple[str, str], UpdateResult]
    analyses: Mapping[str, Any]
    matrix: "IndexMatrix | None" = None
    decision: "UpgradeDecision | None" = None


@dataclass(frozen=True, kw_only=True)
class Results:
    """What a run found.

    Attributes:
        run: The run: who answered what, and where it comes from.
        suite: Name of the suite.
        verdict: `pass`, `fail`, `inconclusive` or `none`.
        doubts: Why no gate may pass, in clauses.
        notes: What a reader must know, in sentences.
        settings: What decided the numbers.
        coverage: How many examples each side answered, by what is said of them.
        task: The one task.
        gates: In the order in which they were set.

    """

    run: Run
    suite: str
    verdict: str
    doubts: tuple[str, ...]
    notes: tuple[str, ...]
    settings: Mapping[str, Any]
    coverage: Mapping[str, int]
    task: TaskResult
    gates: tuple[JudgedGate, ...]
    _grades: dict[tuple[SideName, str], Grades] = field(
        default_factory=dict, init=False, repr=False
    )

    def grades(self, side: SideName, level: str) -> Grades:
        """Return one side's grades; the task grades once where files did not.

        Raises:
            UsageError: The run was not graded at that level.

        """
        if (side, level) not in self._grades:
            self._grades[side, level] = self._graded(getattr(self, side), level)
        return self._grades[side, level]

    def _graded(self, answers: Predictions, level: str) -> Grades:
        recorded = CORRECT_PREFIX + self.level(level).name
        if recorded in answers:
            return recorded_grades(answers, self.level(level).name)
        kind = self.task.kind
        if kind not in TASKS.names():
            raise UsageError(
                f"level {level!r} is not recorded in this run, and the task kind "
                f"{kind!r} that could grade it is not installed"
            )
        return graded(self._task, self.examples, answers, [level])[level]

    @cached_property
    def _task(self) -> Task:
        task = recorded_task(self.run.manifest)
        if isinstance(task, SuitsAnswers):
            return task.suited([self.examples], [self.old, self.new])
        return task

    def level(self, name: str) -> Level:
        """Return a level by its name.

        Raises:
            UsageError: The run has no such level.

        """
        levels = self.task.update.levels
        if name not in levels:
            known = ", ".join(levels)
            raise UsageError(f"this run has no level {name!r}; it has {known}")
        return levels[name].level

    @property
    def examples(self) -> Examples:
        """What was asked."""
        return self.run.examples

    @property
    def old(self) -> Predictions:
        """What the old model answered."""
        return self.run.answers[self.run.judged[0]]

    @property
    def new(self) -> Predictions:
        """What the new model answered."""
        return self.run.answers[self.run.judged[1]]


def read_results(run: Run) -> Results:
    """Return what the `comparison.json` of a run says.

    Raises:
        DataError: It does not hold exactly one task, or that has no level.

    """
    comparison = run.comparison
    tasks, settings = comparison["tasks"], comparison["settings"]
    if len(tasks) != 1:
        raise DataError(f"a report shows exactly one task; this run has {len(tasks)}")
    judged = tasks[0]["updates"][0]
    levels = {one["name"]: Level(**one) for one in tasks[0]["levels"]}
    if not levels:
        raise DataError("this run has no level, so there is nothing to show")
    return Results(
        run=_stacked(run, judged.get("pairs")),
        suite=str(comparison["suite"]),
        verdict=comparison["verdict"],
        doubts=tuple(comparison["doubts"]),
        notes=tuple(comparison["notes"]),
        settings=settings,
        coverage=_coverage(comparison, judged),
        task=_task(tasks[0], comparison["coverage"], levels),
        gates=tuple(_gate(one, judged, levels) for one in comparison["gates"]),
    )


_Levels: TypeAlias = Mapping[str, Level]
"""The levels of a run by their names, the most important first."""


def _coverage(
    comparison: Mapping[str, Any], judged: Mapping[str, Any]
) -> dict[str, int]:
    """Return how many examples both sides answered, and what is said of the rest."""
    pair = judged["coverage"]
    pairs = judged.get("pairs") or [[judged["old"], judged["new"]]]
    by_role = comparison["coverage"]
    return {
        **pair,
        "unasked": sum(by_role[role]["unasked"] for role in {*chain(*pairs)}),
        "errors_old": sum(by_role[old]["errors"] for old, _ in pairs),
        "errors_new": sum(by_role[new]["errors"] for _, new in pairs),
        **comparison["left_out"],
        "bounded": pair["only_old"] + pair["only_new"] + pair["neither"],
    }


def _stacked(run: Run, pairs: Sequence[tuple[str, str]] | None) -> Run:
    """Return a run with answers of the judged roles, each example once a pair."""
    if not pairs:
        return run
    examples, answers = stacked(run.examples, run.answers, pairs)
    return replace(run, examples=examples, answers={**run.answers, **answers})


def _task(
    task: Mapping[str, Any], coverage: Mapping[str, Any], levels: _Levels
) -> TaskResult:
    judged, *rest = (UpdateResult.from_dict(one, levels) for one in task["updates"])
    by_roles = {(one.old, one.new): one for one in rest}
    noise = (o.analyses["noise"] for o in rest if "noise" in o.analyses)
    return TaskResult(
        kind=task["kind"],
        n_examples=task["n_examples"] * max(len(judged.pairs), 1),
        update=judged,
        others={
            roles: one
            for roles, one in by_roles.items()
            if not one.mitigation and not {"noise", "mitigation"} & one.analyses.keys()
        },
        mitigations=tuple(
            MitigationResult(
                update=one,
                moved=by_roles[judged.new, one.new],
                errors=coverage[one.new]["errors"],
            )
            for one in rest
            if one.mitigation
        ),
        analyses={**judged.analyses, "noise": next(noise, None)},
        matrix=_matrix(task.get("matrix")),
        decision=_decision(task.get("decision")),
    )


def _matrix(found: Mapping[str, Any] | None) -> "IndexMatrix | None":
    if found is None:
        return None
    from compat_eval.comparison.index_matrix.result import IndexMatrix  # noqa: PLC0415

    return IndexMatrix.from_dict(found)


def _decision(found: Mapping[str, Any] | None) -> "UpgradeDecision | None":
    if found is None:
        return None
    from compat_eval.comparison.index_decision.result import (  # noqa: PLC0415
        UpgradeDecision,
    )

    return UpgradeDecision.from_dict(found)


def _gate(
    found: Mapping[str, Any], judged: Mapping[str, Any], levels: _Levels
) -> JudgedGate:
    level = found.get("level") or next(iter(levels))
    metric = judged["statistics"].get(found.get("of"))
    scored = found.get("of") == "score" and level in levels
    better = metric["better"] if metric else levels[level].better if scored else ""
    return JudgedGate(
        statistic=found["quantity"],
        of=str(found.get("of")),
        relative=bool(found.get("relative")),
        rises=better.startswith("lower"),
        level=levels.get(level) or Level(level, "unit", "units"),
        part=found.get("slice") or "",
        ids=tuple(found.get("ids") or ()),
        semantics=str(found["semantics"]),
        at_least=found.get("direction") == "at_least",
        limit=found["limit"],
        estimate=Estimate.from_dict(found["estimate"]),
        bound=as_number(found.get("bound")),
        p_value=as_number(found.get("p_value")),
        alpha=as_number(found.get("alpha")),
        verdict=found["verdict"],
        reason=str(found.get("reason") or ""),
        fresh=found.get("fresh_examples") or 0,
        fresh_power=as_number(found.get("fresh_power")),
    )
