"""Count, estimate and judge: from a panel to a `Comparison`."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from compat_eval.comparison.analyses.fragility import fragility
from compat_eval.comparison.ill_sides import doubts_about
from compat_eval.comparison.panel import AGAIN, NEW, OLD, Panel, name_in
from compat_eval.comparison.result import (
    ComparedStatistic,
    Comparison,
    TaskComparison,
    UnitCounts,
    UpdateResult,
)
from compat_eval.comparison.slices import slices
from compat_eval.comparison.update import Update
from compat_eval.core.arrays import Bools
from compat_eval.core.estimate import Estimate, defined
from compat_eval.core.examples import CLASSES_SLICE
from compat_eval.core.grades import BROKEN
from compat_eval.core.protocols import HasFacets, PlacesUnits
from compat_eval.core.statistic import Statistic
from compat_eval.core.verdict import worst
from compat_eval.gates import ALONE, Demands, GateResult, OtherClaims
from compat_eval.statistics.evidence import evidence, mcnemar_p

if TYPE_CHECKING:
    from compat_eval.comparison.index_decision.offered import OfferedRoles
    from compat_eval.comparison.index_decision.result import UpgradeDecision
    from compat_eval.comparison.index_matrix.result import IndexMatrix
    from compat_eval.comparison.index_matrix.roles import IndexRoles


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRoles:
    """Which roles of a panel are compared.

    Attributes:
        judged: Old and new role of the update that gates judge.
        pooled: Pairs of roles whose counts are added; `judged` names the sums then.
        others: Further updates that are counted.
        index: Which roles are encoders that are asked on each other's index.
        offered: Which roles are ways to upgrade OLD's index.

    """

    judged: tuple[str, str] = (OLD, NEW)
    pooled: tuple[tuple[str, str], ...] = ()
    others: tuple[tuple[str, str], ...] = ()
    index: "IndexRoles | None" = None
    offered: "OfferedRoles | None" = None


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
    update, demands = judged_update(panel, roles), _in_every_pair(demands, roles)
    again = _again(panel)
    own = [
        *doubts_about(update, max_errors),
        *_doubts_of_runs(panel, roles, max_errors),
    ]
    doubts = tuple(dict.fromkeys((*doubts, *own)))
    gates = _judged(update, demands, doubts=doubts, again=again)
    further = list(_further(panel, again, roles, confidence))
    first = _judged_result(
        update, roles, further, gates=gates, labels=labels, confidence=confidence
    )
    tried = [
        one
        for role, facts in mitigations.items()
        for one in _mitigated(update, role, facts, confidence)
    ]
    if tried:
        first = _with_frontier(first, update, tried, confidence)
    further += tried
    task = TaskComparison(
        name=panel.name,
        kind=panel.task.kind,
        n_examples=len(panel.examples),
        updates=(first, *further),
        panel=panel,
        matrix=_matrix(panel, roles, tuple(mitigations), confidence),
        decision=_decision(panel, roles, confidence, doubts),
    )
    told: dict[str, Any] = {
        "confidence": confidence,
        "correction": demands.correction,
    }
    if demands.others != ALONE:
        told["others"] = demands.others.to_dict()
    return Comparison(
        suite=panel.name,
        tasks=(task,),
        coverage=panel.coverage(),
        left_out=left_out,
        gates=gates,
        verdict=worst(gate.verdict for gate in gates),
        doubts=doubts,
        notes=tuple(notes),
        settings={**(settings or {}), **told, "levels": list(panel.levels)},
    )


def judge_panel(
    panel: Panel,
    *,
    demands: Demands,
    roles: ComparedRoles = _PLAIN,
    doubts: Sequence[str] = (),
) -> tuple[GateResult, ...]:
    """Judge gates on a panel, and nothing else.

    Args:
        panel: With the roles that are compared.
        demands: The gates.
        roles: Which are compared.
        doubts: Why no gate may pass; all of them.

    Raises:
        SuiteError: A gate names a quantity, level or slice that is not there.

    """
    return _judged(
        judged_update(panel, roles),
        _in_every_pair(demands, roles),
        doubts=doubts,
        again=_again(panel),
    )


def _matrix(
    panel: Panel,
    roles: ComparedRoles,
    bridges: Sequence[str],
    confidence: float,
) -> "IndexMatrix | None":
    """Return the upgrade matrix, where encoders are asked on each other's index."""
    if roles.index is None:
        return None
    from compat_eval.comparison.index_matrix.measure import (  # noqa: PLC0415
        index_matrix,
    )

    return index_matrix(panel, roles.index, bridges=bridges, confidence=confidence)


def _decision(
    panel: Panel, roles: ComparedRoles, confidence: float, doubts: Sequence[str]
) -> "UpgradeDecision | None":
    """Return what to do about OLD's index, where some roles are ways to upgrade it."""
    if roles.offered is None:
        return None
    from compat_eval.comparison.index_decision.offered import (  # noqa: PLC0415
        decided_on,
    )

    return decided_on(panel, roles.offered, confidence=confidence, doubts=doubts)


def _judged(
    update: Update, demands: Demands, *, doubts: Sequence[str], again: Update | None
) -> tuple[GateResult, ...]:
    if not demands.all_gates():
        return ()
    from compat_eval.comparison.judge_noise import (  # noqa: PLC0415
        within_judge_noise,
    )
    from compat_eval.comparison.judging import judged  # noqa: PLC0415

    judging = partial(judged, demands=demands, doubts=doubts, again=again)
    return within_judge_noise(update, judging(update), judging)


def panel_claims(
    panel: Panel, *, demands: Demands, roles: ComparedRoles = _PLAIN
) -> OtherClaims:
    """Return what the gates of a panel claim, for other suites of a release.

    Raises:
        SuiteError: A gate names a quantity, level or slice that is not there.

    """
    from compat_eval.comparison.judging import claims  # noqa: PLC0415

    return claims(judged_update(panel, roles), _in_every_pair(demands, roles))


def _again(panel: Panel) -> Update | None:
    """Return OLD and its second run, where there was one."""
    if AGAIN not in panel.answers:
        return None
    return Update(panel=panel, old_role=OLD, new_role=AGAIN)


def judged_update(panel: Panel, roles: ComparedRoles) -> Update:
    """Return the update that gates judge; of several runs the sum of their pairs."""
    whole = panel.pooled(roles.pooled) if roles.pooled else panel
    old, new = roles.judged
    return Update(panel=whole, old_role=old, new_role=new)


def _in_every_pair(demands: Demands, roles: ComparedRoles) -> Demands:
    """Protect examples in each pair of training runs."""
    if not roles.pooled:
        return demands
    ids = (name_in(p, i) for p in roles.pooled for i in demands.protected_ids)
    return replace(demands, protected_ids=tuple(ids))


def _further(
    panel: Panel, again: Update | None, roles: ComparedRoles, confidence: float
) -> Iterator[UpdateResult]:
    """Yield OLD against its second run, and the other updates that were asked for."""
    if again is not None:
        from compat_eval.comparison.analyses.noise import noise  # noqa: PLC0415

        found = {"noise": noise(again, confidence=confidence)}
        yield replace(_update_summary(again, confidence=confidence), analyses=found)
    for old, new in roles.others:
        one = Update(panel=panel, old_role=old, new_role=new)
        yield _update_summary(one, confidence=confidence)


def _judged_result(
    update: Update,
    roles: ComparedRoles,
    further: Sequence[UpdateResult],
    *,
    gates: Sequence[GateResult],
    labels: Mapping[str, Any] | None,
    confidence: float,
) -> UpdateResult:
    """Return what was found about the judged update, with slices and analyses."""
    found = _update_summary(update, confidence=confidence)
    noisy = [one.analyses["noise"] for one in further if "noise" in one.analyses]
    envelope = noisy[0]["margin_envelope"] if noisy else None
    analyses = {
        **({"seed_spread": seed_spread(further)} if roles.pooled else {}),
        **_by_parts(update, confidence),
        **_of_broken(update),
        "calibration": _calibration(update, found.statistics.get("ece")),
        "fragility": fragility(update, gates, envelope=envelope),
        "labels": None if labels is None else dict(labels),
    }
    return replace(
        found,
        slices=tuple(_slice_summaries(update, confidence)),
        pairs=roles.pooled,
        analyses=analyses,
    )


def _by_parts(update: Update, confidence: float) -> dict[str, Any]:
    """Return what broke by what the units are and where, as far as the task knows."""
    told: dict[str, Any] = {"breakdowns": None, "coflips": None}
    if isinstance(update.task, HasFacets):
        from compat_eval.comparison.analyses.breakdowns import (  # noqa: PLC0415
            breakdowns,
        )

        told["breakdowns"] = breakdowns(update, confidence=confidence)
    if isinstance(update.task, PlacesUnits):
        from compat_eval.comparison.analyses.coflips import coflips  # noqa: PLC0415

        told["coflips"] = coflips(update)
    return told


def _of_broken(update: Update) -> dict[str, Any]:
    """Return in which parts examples broke, and to which answers, where any did."""
    broken = update.examples_with(update.levels[0], BROKEN)
    if not broken.any():
        return {"slice_search": [], "confusion_flow": [], "confusion_flow_rest": 0}
    from compat_eval.comparison.analyses.confusion_flow import (  # noqa: PLC0415
        confusion_flow,
    )
    from compat_eval.comparison.analyses.slice_search import (  # noqa: PLC0415
        slice_search,
    )

    flow, rest = confusion_flow(update, broken)
    return {
        "slice_search": slice_search(update, broken),
        "confusion_flow": flow,
        "confusion_flow_rest": rest,
    }


def _calibration(
    update: Update, error: ComparedStatistic | None
) -> dict[str, Any] | None:
    """Return how sure both sides were and how often they were right, if they say."""
    if not all("score" in side for side in (update.old, update.new)):
        return None
    from compat_eval.comparison.analyses.calibration import (  # noqa: PLC0415
        calibration,
    )

    return calibration(update, error)


def _doubts_of_runs(
    panel: Panel, roles: ComparedRoles, max_errors: float
) -> Iterator[str]:
    """Yield what speaks against one of several training runs: sums would hide it."""
    for old, new in roles.pooled:
        pair = Update(panel=panel, old_role=old, new_role=new)
        yield from (f"{old} → {new}: {one}" for one in doubts_about(pair, max_errors))


def _mitigated(
    update: Update, role: str, facts: Mapping[str, Any], confidence: float
) -> Iterator[UpdateResult]:
    """Yield the two updates to NEW under a mitigation: from OLD, and from NEW."""
    from compat_eval.comparison.mitigated import changed  # noqa: PLC0415

    from_old = Update(panel=update.panel, old_role=update.old_role, new_role=role)
    from_new = Update(panel=update.panel, old_role=update.new_role, new_role=role)
    told = _update_summary(from_old, confidence=confidence)
    by_class = tuple(_slice_summaries(from_old, confidence, only=CLASSES_SLICE))
    yield replace(told, mitigation=facts, slices=by_class)
    effect = {"mitigation": changed(update, from_old, confidence=confidence)}
    yield replace(_update_summary(from_new, confidence=confidence), analyses=effect)


def _with_frontier(
    first: UpdateResult,
    update: Update,
    tried: Sequence[UpdateResult],
    confidence: float,
) -> UpdateResult:
    """Return the judged update with how mitigations stand to it and to each other."""
    from compat_eval.comparison.frontier import frontier  # noqa: PLC0415

    effects = {
        one.new: one.analyses["mitigation"]["effect"]
        for one in tried
        if "mitigation" in one.analyses
    }
    found = frontier(update, effects, confidence=confidence)
    return replace(first, analyses={**first.analyses, "frontier": found})


def _update_summary(update: Update, *, confidence: float) -> UpdateResult:
    """Count and estimate an update over all examples."""
    return UpdateResult(
        old=update.old_role,
        new=update.new_role,
        coverage=update.coverage(),
        agreement=float(np.count_nonzero(~update.changed) / len(update.changed)),
        levels={
            level: _summary(update, level, confidence=confidence)
            for level in update.levels
        },
        statistics={
            name: _metric(update, name, confidence) for name in update.statistics
        },
    )


def seed_spread(pairs: Sequence[UpdateResult]) -> dict[str, Any]:
    """Return how far statistics differ between pairs of training runs, JSON-ready.

    By level and statistic: `lowest` and `highest` of the pairs, and the standard
    `deviation` of a pair; `None` where a pair has no value. Pairs that share a run are
    too much alike to tell it: it comes from those that share none, where both sides
    have several runs.
    """
    every = list(combinations(range(len(pairs)), 2))
    apart = [
        (one, other)
        for one, other in every
        if pairs[one].old != pairs[other].old and pairs[one].new != pairs[other].new
    ]
    return {
        level: {
            name: _spread_of(
                [one.levels[level].statistics[name] for one in pairs], apart or every
            )
            for name in pairs[0].levels[level].statistics
        }
        for level in pairs[0].levels
    }


def _spread_of(
    estimates: Sequence[Estimate], two: Sequence[tuple[int, int]]
) -> dict[str, float | None]:
    values = np.array([one.value for one in estimates])
    differences = np.array([values[one] - values[other] for one, other in two])
    return {
        "lowest": defined(float(values.min())),
        "highest": defined(float(values.max())),
        "deviation": (
            defined(math.sqrt(float((differences**2).mean() / 2))) if two else None
        ),
    }


def _slice_summaries(
    update: Update, confidence: float, *, only: str | None = None
) -> Iterator[UnitCounts]:
    """Yield the summary of each slice at each level; `only` those of one name."""
    for name, mask in slices(update.examples):
        if only not in (None, name.partition("=")[0]):
            continue
        for level in update.levels:
            yield _summary(update, level, part=name, mask=mask, confidence=confidence)


def _summary(
    update: Update,
    level: str,
    *,
    confidence: float,
    part: str | None = None,
    mask: Bools | None = None,
) -> UnitCounts:
    """Return what the units of a level say, over all examples or one slice."""
    table, described = update.table(level, part, mask), update.cells[level].level
    statistics = {
        name: evidence(update.sample(statistic, level, part, mask), statistic).estimate(
            confidence
        )
        for name, statistic in update.statistics_at(level).items()
    }
    p = math.nan if described.scale == "agreement" else mcnemar_p(table)
    return UnitCounts.of_table(
        table, described, statistics, part=part or "", mcnemar_p=p
    )


def _metric(update: Update, name: str, confidence: float) -> ComparedStatistic:
    statistic, rows = update.statistics[name], update.rows(name)

    def estimate(one: Statistic) -> Estimate:
        return evidence(rows, one).estimate(confidence)

    of_update = statistic.of == "update"
    return ComparedStatistic(
        name=name,
        better=statistic.better,
        description=statistic.description,
        old=None if of_update else estimate(statistic.of_old()),
        new=None if of_update else estimate(statistic.of_new()),
        change=estimate(statistic if of_update else statistic.change()),
        no_change=statistic.of_itself if of_update else 0.0,
    )
