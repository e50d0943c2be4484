"""Count, estimate and judge: from a panel to a `Comparison`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from compat_eval.comparison.analyses.further import analyses
from compat_eval.comparison.ill_sides import doubts_about
from compat_eval.comparison.judging import judged
from compat_eval.comparison.panel import AGAIN, NEW, OLD, Panel, name_in
from compat_eval.comparison.result import (
    Comparison,
    FlipSummary,
    MetricComparison,
    TaskComparison,
    UpdateSummary,
)
from compat_eval.comparison.slices import slices
from compat_eval.comparison.update import Update
from compat_eval.core.arrays import Bools
from compat_eval.core.estimate import Estimate, defined
from compat_eval.core.grades import cell_names
from compat_eval.core.statistic import Statistic
from compat_eval.core.verdict import worst
from compat_eval.gates import Demands
from compat_eval.statistics.evidence import evidence, mcnemar_p


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRoles:
    """Which roles of a panel are compared.

    Attributes:
        judged: Old and new role of the update that gates judge.
        pooled: Pairs of roles whose counts are added; `judged` names the sums then.
        others: Further updates that are counted.

    """

    judged: tuple[str, str] = (OLD, NEW)
    pooled: tuple[tuple[str, str], ...] = ()
    others: tuple[tuple[str, str], ...] = ()


_PLAIN = ComparedRoles()
_NOBODY: Mapping[str, Mapping[str, Any]] = {}
_NOTHING: Mapping[str, int] = dict.fromkeys(
    ("mismatched", "dropped", "without_gold"), 0
)


def compare_panel(
    panel: Panel,
    *,
    demands: Demands,
    roles: ComparedRoles = _PLAIN,
    doubts: Sequence[str] = (),
    max_errors: float = 0.0,
    labels: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    mitigations: Mapping[str, Mapping[str, Any]] = _NOBODY,
    left_out: Mapping[str, int] = _NOTHING,
) -> Comparison:
    """Compare the roles of a panel.

    Args:
        panel: With the roles that are compared; `old again` where OLD was asked twice,
            and one role for each mitigation.
        demands: The gates. They judge NEW without mitigations.
        roles: Which are compared.
        doubts: Why no gate may pass, in clauses, as far as the sides do not show it.
        max_errors: The largest share of a side's answers that may be errors.
        labels: In which labels the models differ.
        notes: What a reader must know, in sentences.
        settings: What else decided the numbers, JSON-ready.
        mitigations: By role, what is known of it.
        left_out: How many examples were mismatched, dropped and without gold.

    Raises:
        SuiteError: A gate names a quantity, level or slice that is not there.

    """
    confidence = demands.confidence
    whole = panel.pooled(roles.pooled) if roles.pooled else panel
    update = Update(panel=whole, old_role=roles.judged[0], new_role=roles.judged[1])
    if roles.pooled:
        ids = (name_in(p, i) for p in roles.pooled for i in demands.protected_ids)
        demands = replace(demands, protected_ids=tuple(ids))
    again, noisy = None, None
    if AGAIN in panel.answers:
        again = Update(panel=panel, old_role=OLD, new_role=AGAIN)
        from compat_eval.comparison.analyses.noise import noise  # noqa: PLC0415

        noisy = noise(again, confidence=confidence)
    own = [
        *doubts_about(update, max_errors),
        *_doubts_of_runs(panel, roles, max_errors),
    ]
    doubts = tuple(dict.fromkeys((*doubts, *own)))
    gates = judged(update, demands, doubts=doubts, again=again)
    statistics = metric_comparisons(update, confidence=confidence)
    others = [
        update_summary(
            Update(panel=panel, old_role=old, new_role=new), confidence=confidence
        )
        for old, new in roles.others
    ]
    spread = {"seed_spread": seed_spread(others)} if roles.pooled else {}
    found = [
        update_summary(
            update,
            confidence=confidence,
            statistics=statistics,
            pairs=roles.pooled,
            parts=tuple(slice_summaries(update, confidence=confidence)),
            further={
                **spread,
                **analyses(
                    update,
                    metrics=statistics,
                    gates=gates,
                    envelope=None if noisy is None else noisy["margin_envelope"],
                    labels=labels,
                    confidence=confidence,
                ),
            },
        )
    ]
    if again is not None:
        noise_found = {"noise": noisy}
        found.append(update_summary(again, confidence=confidence, further=noise_found))
    found += others
    for role, facts in mitigations.items():
        found += _mitigated(update, role, facts, confidence)
    return Comparison(
        suite=panel.name,
        tasks=(
            TaskComparison(
                name=panel.name,
                kind=panel.task.kind,
                n_examples=len(panel.examples),
                updates=tuple(found),
                panel=panel,
            ),
        ),
        coverage=panel.coverage(),
        left_out=left_out,
        gates=gates,
        verdict=worst(gate.verdict for gate in gates),
        doubts=doubts,
        notes=tuple(notes),
        settings={
            **(settings or {}),
            "confidence": confidence,
            "correction": demands.correction,
            "levels": list(panel.levels),
        },
    )


def _doubts_of_runs(
    panel: Panel, roles: ComparedRoles, max_errors: float
) -> Iterator[str]:
    """Yield what speaks against one of several training runs: sums would hide it."""
    for old, new in roles.pooled:
        pair = Update(panel=panel, old_role=old, new_role=new)
        yield from (f"{old} → {new}: {one}" for one in doubts_about(pair, max_errors))


def _mitigated(
    update: Update, role: str, facts: Mapping[str, Any], confidence: float
) -> Iterator[UpdateSummary]:
    """Yield the two updates to NEW under a mitigation: from OLD, and from NEW."""
    from compat_eval.comparison.mitigated import changed  # noqa: PLC0415

    from_old = Update(panel=update.panel, new_role=role)
    from_new = Update(panel=update.panel, old_role=NEW, new_role=role)
    yield update_summary(from_old, confidence=confidence, mitigation=facts)

    effect = {"mitigation": changed(update, from_old, confidence=confidence)}
    yield update_summary(from_new, confidence=confidence, further=effect)


def update_summary(
    update: Update,
    *,
    confidence: float,
    statistics: Mapping[str, MetricComparison] | None = None,
    parts: Sequence[FlipSummary] = (),
    pairs: tuple[tuple[str, str], ...] = (),
    further: Mapping[str, Any] | None = None,
    mitigation: Mapping[str, Any] | None = None,
) -> UpdateSummary:
    """Count and estimate an update over all examples; the rest is given."""
    if statistics is None:
        statistics = metric_comparisons(update, confidence=confidence)
    return UpdateSummary(
        old=update.old_role,
        new=update.new_role,
        coverage=update.coverage(),
        agreement=float(np.count_nonzero(~update.changed) / len(update.changed)),
        levels={
            level: summary(update, level, confidence=confidence)
            for level in update.levels
        },
        statistics=statistics,
        slices=tuple(parts),
        analyses=further or {},
        pairs=pairs,
        mitigation=mitigation or {},
    )


def seed_spread(pairs: Sequence[UpdateSummary]) -> dict[str, Any]:
    """Return how far statistics differ between pairs of training runs, JSON-ready.

    By level and statistic: `lowest` and `highest` of the pairs, and their standard
    `deviation`; `None` where a pair has no value.
    """
    return {
        level: {
            name: _spread_of([one.levels[level].statistics[name] for one in pairs])
            for name in pairs[0].levels[level].statistics
        }
        for level in pairs[0].levels
    }


def _spread_of(estimates: Sequence[Estimate]) -> dict[str, float | None]:
    values = np.array([one.value for one in estimates])
    return {
        "lowest": defined(float(values.min())),
        "highest": defined(float(values.max())),
        "deviation": defined(float(values.std(ddof=1))) if len(values) > 1 else None,
    }


def slice_summaries(update: Update, *, confidence: float) -> Iterator[FlipSummary]:
    """Yield the summary of each slice at each level."""
    for name, mask in slices(update.examples):
        for level in update.levels:
            yield summary(update, level, part=name, mask=mask, confidence=confidence)


def summary(
    update: Update,
    level: str,
    *,
    confidence: float,
    part: str | None = None,
    mask: Bools | None = None,
) -> FlipSummary:
    """Return what the units of a level say, over all examples or one slice."""
    table, names = (
        update.table(level, part, mask),
        cell_names(update.cells[level].level),
    )
    return FlipSummary(
        level=level,
        slice=part,
        units=table.n_units,
        clusters=table.n_clusters if table.clustered else None,
        counts={cell: int(table.counts[at]) for at, cell in enumerate(names)},
        statistics={
            name: evidence(
                update.sample(statistic, level, part, mask), statistic
            ).estimate(confidence)
            for name, statistic in update.statistics_at(level).items()
        },
        mcnemar_p=mcnemar_p(table),
    )


def metric_comparisons(
    update: Update, *, confidence: float
) -> Mapping[str, MetricComparison]:
    """Return every further metric on both sides, with its paired change."""
    return {name: _metric(update, name, confidence) for name in update.statistics}


def _metric(update: Update, name: str, confidence: float) -> MetricComparison:
    statistic, rows = update.statistics[name], update.rows(name)

    def estimate(one: Statistic) -> Estimate:
        return evidence(rows, one).estimate(confidence)

    of_update = statistic.of == "update"
    return MetricComparison(
        name=name,
        better=statistic.better,
        description=statistic.description,
        old=None if of_update else estimate(statistic.of_old()),
        new=None if of_update else estimate(statistic.of_new()),
        change=estimate(statistic if of_update else statistic.change()),
        no_change=statistic.of_itself if of_update else 0.0,
    )
