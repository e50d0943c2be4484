"""What a comparison found, as frozen values with one canonical JSON form."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from compat_eval.comparison.panel import Panel
from compat_eval.core.estimate import (
    Estimate,
    as_number,
    defined,
    rounded,
    undefined,
)
from compat_eval.core.grades import Level, Scale, cell_names
from compat_eval.core.verdict import Verdict
from compat_eval.gates import GateResult
from compat_eval.statistics.flip_table import FlipTable

if TYPE_CHECKING:
    import pandas  # noqa: ICN001 - the name of the type

    from compat_eval.comparison.index_decision.result import UpgradeDecision
    from compat_eval.comparison.index_matrix.result import IndexMatrix

_SCHEMA_VERSION = 2


LOST: Mapping[Scale, str] = MappingProxyType(
    {"right": "broken", "score": "worse", "agreement": "changed"}
)
WON: Mapping[Scale, str] = MappingProxyType(
    {"right": "fixed", "score": "better", "agreement": "same"}
)
"""The cells of units that an update makes worse and better, by the level's scale."""

_CELL_SHARES = MappingProxyType(
    {
        "broken": "nfr",
        "fixed": "pfr",
        "worse": "worse_rate",
        "better": "better_rate",
        "changed": "churn",
        "same": "agreement",
    }
)
"""The statistics that are the shares of cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCounts:
    """The units of one level, over all examples or a part of them.

    Attributes:
        level: The level.
        part: Name of the slice, or the value of a facet; empty for all examples.
        units: How many units.
        clusters: How many independent groups they form; `None` where every unit
            is independent.
        counts: kept, broken, fixed, missed, or same, worse, better; not weighted.
        statistics: Each statistic with its interval.
        mcnemar_p: Two-sided p-value of "old and new are equally accurate": McNemar's
            mid-p test of independent units, else the one that belongs to the bounds of
            the change, which know clusters and weights; nan where undefined.

    """

    level: Level
    part: str = ""
    units: int
    clusters: int | None
    counts: Mapping[str, int]
    statistics: Mapping[str, Estimate]
    mcnemar_p: float = math.nan

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
        known = self.statistics.get(_CELL_SHARES.get(cell, ""))
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

    @classmethod
    def of_table(
        cls,
        table: FlipTable,
        level: Level,
        statistics: Mapping[str, Estimate],
        *,
        part: str = "",
        mcnemar_p: float = math.nan,
    ) -> "UnitCounts":
        """Return what a table counted, with statistics of it."""
        return cls(
            level=level,
            part=part,
            units=table.n_units,
            clusters=table.n_clusters if table.clustered else None,
            counts={
                cell: int(table.counts[at]) for at, cell in enumerate(cell_names(level))
            },
            statistics=statistics,
            mcnemar_p=mcnemar_p,
        )

    def counted(self) -> dict[str, Any]:
        """Return JSON-ready fields, without which part it is and the test."""
        return {
            "units": self.units,
            "clusters": self.clusters,
            "counts": dict(self.counts),
            "statistics": {k: e.to_dict() for k, e in self.statistics.items()},
        }

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        head = {"name": self.part, "level": self.level.name} if self.part else {}
        return {
            **head,
            **self.counted(),
            "mcnemar_p": defined(self.mcnemar_p),
            "mcnemar_test": "mid-p" if self.clusters is None else "cluster-robust",
        }

    @classmethod
    def from_dict(
        cls, fields: Mapping[str, Any], level: Level, part: str = ""
    ) -> "UnitCounts":
        """Read back what `to_dict` or `counted` wrote of a level and part."""
        found = fields["statistics"].items()
        return cls(
            level=level,
            part=part,
            units=fields["units"],
            clusters=fields["clusters"],
            counts=fields["counts"],
            statistics={name: Estimate.from_dict(one) for name, one in found},
            mcnemar_p=as_number(fields.get("mcnemar_p")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedStatistic:
    """One statistic of both roles and its paired change, or one of the update alone.

    Attributes:
        name: Of the statistic.
        better: Whether higher or lower is better.
        description: One sentence for the report.
        old: Its value of the old role; `None` where it is of the update alone.
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
    no_change: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        sides = {"old": self.old, "new": self.new}
        return {
            "better": self.better,
            "description": self.description,
            **{side: one.to_dict() for side, one in sides.items() if one is not None},
            "change": self.change.to_dict(),
            **({"no_change": self.no_change} if self.no_change else {}),
        }

    @classmethod
    def from_dict(cls, name: str, fields: Mapping[str, Any]) -> "ComparedStatistic":
        """Read back what `to_dict` wrote of a statistic."""
        return cls(
            name=name,
            better=fields["better"],
            description=fields["description"],
            old=Estimate.from_dict(fields["old"]) if "old" in fields else None,
            new=Estimate.from_dict(fields["new"]) if "new" in fields else None,
            change=Estimate.from_dict(fields["change"]),
            no_change=fields.get("no_change", 0.0),
        )


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

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {
            "facet": self.name,
            "level": self.level.name,
            "ordered": self.ordered,
            "left_out": self.left_out,
            "values": [{"value": one.part, **one.counted()} for one in self.values],
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any], level: Level) -> "Facet":
        """Read back what `to_dict` wrote of units of a level."""
        values = fields["values"]
        return cls(
            name=fields["facet"],
            level=level,
            ordered=fields["ordered"],
            left_out=fields["left_out"],
            values=tuple(UnitCounts.from_dict(v, level, v["value"]) for v in values),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateResult:
    """What was found about one update.

    Attributes:
        old: The role that is replaced.
        new: The role that takes its place.
        coverage: How many examples `both` answered, `only_old`, `only_new`, `neither`.
        agreement: Share of examples to which both gave the same answer.
        levels: The counts over all examples, by level, the most important first.
        statistics: Further statistics, by name.
        slices: The counts of each slice at each level.
        analyses: Further JSON-ready findings, by name (`slice_search`,
            `confusion_flow`, `calibration`, `noise`, `fragility`, …).
        pairs: The pairs of roles that were pooled, where `old` and `new` stand for
            several training runs; empty for other updates.
        mitigation: What is known of the mitigation whose role `new` is without its
            answers: name, method, options, cost, and how dev chose; empty for others.

    """

    old: str
    new: str
    coverage: Mapping[str, int]
    agreement: float
    levels: Mapping[str, UnitCounts]
    statistics: Mapping[str, ComparedStatistic]
    slices: tuple[UnitCounts, ...] = ()
    analyses: Mapping[str, Any] = field(default_factory=dict)
    pairs: tuple[tuple[str, str], ...] = ()
    mitigation: Mapping[str, Any] = field(default_factory=dict)

    @property
    def main(self) -> UnitCounts:
        """The counts at the level that matters most."""
        return next(iter(self.levels.values()))

    def part(self, level: Level, name: str) -> UnitCounts | None:
        """Return the counts of a level, or of one of its slices; `None` if unknown."""
        every = self.slices if name else self.levels.values()
        found = (one for one in every if one.part == name and one.level == level)
        return next(found, None)

    def facets(self) -> tuple[Facet, ...]:
        """Return the breakdowns of the units, the most important level first."""
        return tuple(
            Facet.from_dict(one, self.levels[one["level"]].level)
            for one in self.analyses.get("breakdowns") or ()
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {
            "old": self.old,
            "new": self.new,
            "coverage": dict(self.coverage),
            "agreement": self.agreement,
            "levels": {k: level.to_dict() for k, level in self.levels.items()},
            "statistics": {k: one.to_dict() for k, one in self.statistics.items()},
            "slices": [one.to_dict() for one in self.slices],
            "analyses": dict(self.analyses),
            **({"pairs": [list(one) for one in self.pairs]} if self.pairs else {}),
            **({"mitigation": dict(self.mitigation)} if self.mitigation else {}),
        }

    @classmethod
    def from_dict(
        cls, fields: Mapping[str, Any], levels: Mapping[str, Level]
    ) -> "UpdateResult":
        """Read back what `to_dict` wrote.

        Args:
            fields: Of the update.
            levels: Those of the run by their names, the most important first.

        """
        counted, slices = fields["levels"], fields["slices"]
        statistics = sorted(fields["statistics"].items())
        return cls(
            old=fields["old"],
            new=fields["new"],
            coverage=fields["coverage"],
            agreement=fields["agreement"],
            levels={k: UnitCounts.from_dict(counted[k], v) for k, v in levels.items()},
            statistics={k: ComparedStatistic.from_dict(k, v) for k, v in statistics},
            slices=tuple(
                UnitCounts.from_dict(one, levels[one["level"]], one["name"])
                for one in slices
            ),
            analyses=fields["analyses"],
            pairs=tuple((old, new) for old, new in fields.get("pairs", ())),
            mitigation=fields.get("mitigation", {}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskComparison:
    """Everything that was found on one task.

    Attributes:
        name: Name of the suite or of the task.
        kind: The task kind.
        n_examples: How many examples were compared.
        updates: What was found about each; the gates judged the first.
        panel: The examples and answers themselves.
        matrix: Every encoder's queries on every encoder's index, where sides are such.
        decision: What to do about OLD's index, likewise.

    """

    name: str
    kind: str
    n_examples: int
    updates: tuple[UpdateResult, ...]
    panel: Panel = field(repr=False)
    matrix: "IndexMatrix | None" = None
    decision: "UpgradeDecision | None" = None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        described = {level.name: level for level in self.panel.task.levels}
        return {
            "name": self.name,
            "kind": self.kind,
            "n_examples": self.n_examples,
            "levels": [described[name].to_dict() for name in self.panel.levels],
            "updates": [one.to_dict() for one in self.updates],
            **({} if self.matrix is None else {"matrix": self.matrix.to_dict()}),
            **({} if self.decision is None else {"decision": self.decision.to_dict()}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """An old and a new model, compared.

    Attributes:
        suite: Name of the suite, or of the two files' task.
        tasks: One entry a task.
        coverage: By role, how many examples it `answered`, how many are `missing` or
            `errors`, and how many `unasked` answers were left out.
        left_out: How many examples were `mismatched` (the sides differed about the
            question), `dropped` for that, and `without_gold`.
        gates: Each gate with its verdict and why.
        verdict: The worst gate's verdict; `none` without gates.
        doubts: Why no gate of this run may pass, in clauses; empty in a sound run.
        notes: What a reader must know, in sentences.
        settings: What decided the numbers (confidence, alpha, correction, seed,
            policies), JSON-ready.

    """

    suite: str
    tasks: tuple[TaskComparison, ...]
    coverage: Mapping[str, Mapping[str, int]]
    left_out: Mapping[str, int]
    gates: tuple[GateResult, ...]
    verdict: Verdict
    doubts: tuple[str, ...]
    notes: tuple[str, ...]
    settings: Mapping[str, Any]

    @property
    def judged(self) -> UpdateResult:
        """The update that the gates judged."""
        return self.tasks[0].updates[0]

    def to_pandas(self) -> "pandas.DataFrame":
        """Return one row an example: what was asked, both answers, and the cell.

        Columns `id`, those of the examples, `old` and `new` (with `old_score` and
        so on where known), and `cell` (kept, broken, fixed or missed) at the first
        level, where examples are its units.
        """
        from compat_eval.comparison.notebook import frame  # noqa: PLC0415

        found = self.judged
        return frame(self.tasks[0].panel, old=found.old, new=found.new)

    def __repr__(self) -> str:
        """Return a summary for a terminal."""
        from compat_eval.comparison.notebook import summary_text  # noqa: PLC0415

        return summary_text(self)

    def _repr_html_(self) -> str:
        """Return a summary for notebooks."""
        from compat_eval.comparison.notebook import summary_html  # noqa: PLC0415

        return summary_html(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the content of `comparison.json`: no times, no paths.

        Floats have 12 significant digits.
        """
        content = {
            "schema_version": _SCHEMA_VERSION,
            "suite": self.suite,
            "verdict": str(self.verdict),
            "doubts": list(self.doubts),
            "coverage": {role: dict(one) for role, one in self.coverage.items()},
            "left_out": dict(self.left_out),
            "tasks": [task.to_dict() for task in self.tasks],
            "gates": [gate.to_dict() for gate in self.gates],
            "notes": list(self.notes),
            "settings": dict(self.settings),
        }
        return dict(rounded(content))
