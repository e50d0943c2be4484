"""What a comparison found, as frozen values with one canonical JSON form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from compat_eval.comparison.panel import Panel
from compat_eval.core.estimate import Estimate, defined, rounded
from compat_eval.core.verdict import Verdict
from compat_eval.gates import GateResult

if TYPE_CHECKING:
    import pandas  # noqa: ICN001 - the name of the type

SCHEMA_VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipSummary:
    """The four counts of one level, over all examples or one slice, and what follows.

    Attributes:
        level: Which unit was counted.
        slice: Name of the slice, or `None` for all examples.
        units: How many units.
        clusters: How many independent groups they form; `None` where every unit
            is independent.
        counts: kept, broken, fixed, missed, or same, worse, better; not weighted.
        statistics: Each flip quantity with its interval.
        mcnemar_p: Two-sided p-value of "old and new are equally accurate": McNemar's
            mid-p test of independent units, else the one that belongs to the bounds of
            the change, which know clusters and weights.

    """

    level: str
    slice: str | None
    units: int
    clusters: int | None
    counts: Mapping[str, int]
    statistics: Mapping[str, Estimate]
    mcnemar_p: float

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        head = {} if self.slice is None else {"name": self.slice, "level": self.level}
        return {
            **head,
            "units": self.units,
            "clusters": self.clusters,
            "counts": dict(self.counts),
            "statistics": {k: e.to_dict() for k, e in self.statistics.items()},
            "mcnemar_p": defined(self.mcnemar_p),
            "mcnemar_test": "mid-p" if self.clusters is None else "cluster-robust",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricComparison:
    """One statistic of both sides and its paired change, or one of the update alone.

    Attributes:
        name: Of the statistic.
        better: Whether higher or lower is better.
        description: One sentence for the report.
        old: Its value of the old side; `None` where it is of the update alone.
        new: Of the new side; likewise.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSummary:
    """What was found about one update.

    Attributes:
        old: The role that is replaced.
        new: The role that takes its place.
        coverage: How many examples `both` answered, `only_old`, `only_new`, `neither`.
        agreement: Share of examples to which both gave the same answer.
        levels: The counts over all examples, by level.
        statistics: Further metrics, by name.
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
    levels: Mapping[str, FlipSummary]
    statistics: Mapping[str, MetricComparison]
    slices: tuple[FlipSummary, ...] = ()
    analyses: Mapping[str, Any] = field(default_factory=dict)
    pairs: tuple[tuple[str, str], ...] = ()
    mitigation: Mapping[str, Any] = field(default_factory=dict)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskComparison:
    """Everything that was found on one task.

    Attributes:
        name: Name of the suite or of the task.
        kind: The task kind.
        n_examples: How many examples were compared.
        updates: What was found about each; the gates judged the first.
        panel: The examples and answers themselves.

    """

    name: str
    kind: str
    n_examples: int
    updates: tuple[UpdateSummary, ...]
    panel: Panel = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        described = {level.name: level for level in self.panel.task.levels}
        return {
            "name": self.name,
            "kind": self.kind,
            "n_examples": self.n_examples,
            "levels": [described[name].to_dict() for name in self.panel.levels],
            "updates": [one.to_dict() for one in self.updates],
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
    def judged(self) -> UpdateSummary:
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

    def _repr_html_(self) -> str:
        """Return a summary for notebooks."""
        from compat_eval.comparison.notebook import summary_html  # noqa: PLC0415

        return summary_html(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the content of `comparison.json`: no times, no paths.

        Floats have 12 significant digits.
        """
        content = {
            "schema_version": SCHEMA_VERSION,
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
