"""`comparison.json` as frozen values: the one reader behind every report.

Numbers that are undefined are nan here, as everywhere but in JSON.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from compat_eval.comparison.own_grades import graded
from compat_eval.comparison.panel import stacked
from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.estimate import Estimate, undefined
from compat_eval.core.examples import Examples
from compat_eval.core.grades import Grades, Level, Scale
from compat_eval.core.predictions import CORRECT_PREFIX, Predictions
from compat_eval.core.table import bools
from compat_eval.runs.directory import Run, recorded_task
from compat_eval.tasks import TASKS

SideName: TypeAlias = Literal["old", "new"]

LOST: Mapping[Scale, str] = MappingProxyType({"right": "broken", "score": "worse"})
WON: Mapping[Scale, str] = MappingProxyType({"right": "fixed", "score": "better"})
"""The cells of units that an update makes worse and better, by the level's scale."""

CELL_SHARES = MappingProxyType(
    {"broken": "nfr", "fixed": "pfr", "worse": "worse_rate", "better": "better_rate"}
)
"""The statistics that are the shares of cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCounts:
    """The units of one level, over all examples or a part of them.

    Attributes:
        level: The level.
        part: Name of the slice, or the value of a facet; empty for all examples.
        units: How many units.
        clusters: How many independent groups they form; `None` where every unit is
            independent.
        counts: How many units are in each cell.
        statistics: Each statistic with its interval.
        equal_p: p-value of "both roles are equally accurate"; nan where undefined.

    """

    level: Level
    part: str
    units: int
    clusters: int | None
    counts: Mapping[str, int]
    statistics: Mapping[str, Estimate]
    equal_p: float = math.nan

    @property
    def lost(self) -> int:
        """How many units broke, or got worse where they have scores."""
        return self.counts[LOST[self.level.scale]]

    @property
    def won(self) -> int:
        """How many units were fixed, or got better."""
        return self.counts[WON[self.level.scale]]

    @property
    def lost_rate(self) -> Estimate:
        """Share of units that broke or got worse."""
        return self.share(LOST[self.level.scale])

    @property
    def change(self) -> Estimate:
        """The change in accuracy, or in the mean score; nan where nobody made it."""
        name = next((n for n in self.statistics if n.endswith("_change")), "")
        known = self.statistics.get("accuracy_change") or self.statistics.get(name)
        return known or undefined("not computed", confidence=math.nan, method="")

    def share(self, cell: str) -> Estimate:
        """Return the share of units in a cell; few cells have an interval."""
        known = self.statistics.get(CELL_SHARES.get(cell, ""))
        if known is not None:
            return known
        like = next(iter(self.statistics.values()), None)
        return Estimate(
            value=self.counts[cell] / self.units if self.units else math.nan,
            low=math.nan,
            high=math.nan,
            confidence=math.nan if like is None else like.confidence,
            method="" if like is None else like.method,
            n=self.units if like is None else like.n,
            reason=None if self.units else "no units were compared",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BothSides:
    """A further statistic of both roles of an update, and its paired change.

    Attributes:
        name: Of the statistic.
        better: Whether higher or lower is better.
        description: One sentence.
        old: Of the old role; `None` where the statistic is of the update alone.
        new: Of the new role; likewise.
        change: New less old, or the statistic of the update.
        no_change: What `change` is of a model and itself.

    """

    name: str
    better: str
    description: str
    old: Estimate | None
    new: Estimate | None
    change: Estimate
    no_change: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """The units of one level by one thing that the task knows of them.

    `ordered` tells whether the values have an order of their own, and `left_out` how
    many values are not listed.
    """

    name: str
    level: Level
    ordered: bool
    left_out: int
    values: tuple[UnitCounts, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateResult:
    """What one update changed.

    Attributes:
        levels: The counts over all examples by the level's name, the most important
            level first.
        slices: The counts of each slice at each level.
        metrics: Further statistics, by name.
        facets: Breakdowns of the units, the most important level first.

    """

    levels: Mapping[str, UnitCounts]
    slices: tuple[UnitCounts, ...] = ()
    metrics: Mapping[str, BothSides]
    facets: tuple[Facet, ...] = ()

    @property
    def main(self) -> UnitCounts:
        """The counts at the level that matters most."""
        return next(iter(self.levels.values()))

    def part(self, level: Level, name: str) -> UnitCounts | None:
        """Return the counts of a level, or of one of its slices; `None` if unknown."""
        every = self.slices if name else self.levels.values()
        found = (one for one in every if one.part == name and one.level == level)
        return next(found, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class MitigationResult:
    """What a mitigation makes of an update.

    Attributes:
        name: As the user asked for it.
        role: Of NEW under it.
        cost: How often the models are asked for an example.
        chosen: What dev chose, and from what; empty where nothing was.
        errors: For how many examples the mitigated model raised.
        update: OLD against the mitigated NEW.
        changes: What it changes of NEW, by level and statistic.
        agreement: Share of examples that are answered as OLD does, by `new` and by
            `treated`.
        effect: `selective`, `mostly_old`, `unclear`, `drags_back` or `no_cut`.

    """

    name: str
    role: str
    cost: Mapping[str, Any]
    chosen: Mapping[str, Any]
    errors: int
    update: UpdateResult
    changes: Mapping[str, Mapping[str, Estimate]]
    agreement: Mapping[str, float]
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedGate:
    """A gate, what was found, and how it ended; numbers that nobody made are nan.

    Attributes:
        statistic: What is limited.
        of: Of which metric, where the statistic is a loss.
        relative: Whether the loss is relative.
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

    """

    kind: str
    n_examples: int
    update: UpdateResult
    mitigations: tuple[MitigationResult, ...]
    others: Mapping[tuple[str, str], UpdateResult]
    analyses: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
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
            return Grades.per_example(bools(answers.column(recorded)))
        kind = self.task.kind
        if kind not in TASKS.names():
            raise UsageError(
                f"level {level!r} is not recorded in this run, and the task kind "
                f"{kind!r} that could grade it is not installed"
            )
        task = recorded_task(self.run.manifest)
        return graded(task, self.examples, answers, [level])[level]

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
        gates=tuple(_gate(one, levels) for one in comparison["gates"]),
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
    judged = task["updates"][0]
    by_roles = {(one["old"], one["new"]): one for one in task["updates"]}
    noise = [
        one["analyses"]["noise"]
        for one in task["updates"]
        if "noise" in one["analyses"]
    ]
    return TaskResult(
        kind=task["kind"],
        n_examples=task["n_examples"] * len(judged.get("pairs") or [()]),
        update=_update(judged, levels),
        others={
            (one["old"], one["new"]): _update(one, levels)
            for one in task["updates"][1:]
            if not {"noise", "mitigation"} & {*one, *one["analyses"]}
        },
        mitigations=tuple(
            MitigationResult(
                name=one["mitigation"]["name"],
                role=one["new"],
                cost=one["mitigation"]["cost"],
                chosen=one["mitigation"].get("chosen") or {},
                errors=coverage[one["new"]]["errors"],
                update=_update(one, levels),
                agreement={"new": judged["agreement"], "treated": one["agreement"]},
                **_effect(by_roles[judged["new"], one["new"]], levels),
            )
            for one in task["updates"]
            if "mitigation" in one
        ),
        analyses={**judged["analyses"], "noise": noise[0] if noise else None},
    )


def _update(found: Mapping[str, Any], levels: _Levels) -> UpdateResult:
    return UpdateResult(
        levels={
            name: _counts(found["levels"][name], level)
            for name, level in levels.items()
        },
        slices=tuple(
            _counts(one, levels[one["level"]], one["name"]) for one in found["slices"]
        ),
        metrics={
            name: BothSides(
                name=name,
                better=one["better"],
                description=one["description"],
                old=_estimate(one["old"]) if "old" in one else None,
                new=_estimate(one["new"]) if "new" in one else None,
                change=_estimate(one["change"]),
                no_change=one.get("no_change", 0.0),
            )
            for name, one in sorted(found["statistics"].items())
        },
        facets=tuple(
            _facet(one, levels[one["level"]])
            for one in found["analyses"].get("breakdowns") or ()
        ),
    )


def _counts(found: Mapping[str, Any], level: Level, part: str = "") -> UnitCounts:
    return UnitCounts(
        level=level,
        part=part,
        units=found["units"],
        clusters=found["clusters"],
        counts=found["counts"],
        statistics={k: _estimate(one) for k, one in found["statistics"].items()},
        equal_p=_number(found.get("mcnemar_p")),
    )


def _facet(found: Mapping[str, Any], level: Level) -> Facet:
    return Facet(
        name=found["facet"],
        level=level,
        ordered=found["ordered"],
        left_out=found["left_out"],
        values=tuple(_counts(one, level, one["value"]) for one in found["values"]),
    )


def _effect(found: Mapping[str, Any], levels: _Levels) -> dict[str, Any]:
    """Return what an update from NEW to mitigated NEW says of the mitigation."""
    moved, said = _update(found, levels), found["analyses"]["mitigation"]
    return {
        "effect": said["effect"],
        "changes": {
            level: {
                "accuracy_change": moved.levels[level].statistics["accuracy_change"],
                **{name: _estimate(one) for name, one in changes.items()},
            }
            for level, changes in said["levels"].items()
        },
    }


def _gate(found: Mapping[str, Any], levels: _Levels) -> JudgedGate:
    level = found.get("level") or next(iter(levels))
    return JudgedGate(
        statistic=found["quantity"],
        of=str(found.get("of")),
        relative=bool(found.get("relative")),
        level=levels.get(level) or Level(level, "unit", "units"),
        part=found.get("slice") or "",
        ids=tuple(found.get("ids") or ()),
        semantics=str(found["semantics"]),
        at_least=found.get("direction") == "at_least",
        limit=found["limit"],
        estimate=_estimate(found["estimate"]),
        bound=_number(found.get("bound")),
        p_value=_number(found.get("p_value")),
        alpha=_number(found.get("alpha")),
        verdict=found["verdict"],
        reason=str(found.get("reason") or ""),
        fresh=found.get("fresh_examples") or 0,
        fresh_power=_number(found.get("fresh_power")),
    )


def _estimate(found: Mapping[str, Any]) -> Estimate:
    return Estimate.from_dict(dict(found))


def _number(found: float | None) -> float:
    return math.nan if found is None else float(found)
