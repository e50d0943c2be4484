"""Evidence about several suites at once, for the gates of a release.

Units are clusters of samples where an example was answered several times, examples
may form clusters (documents), and suites are strata: they are not drawn from a
population of suites, but are those that the policy names. So suites are never
resampled. Their counts are added, each example once (`pooled_`) or each suite alike
(`mean_`); that the sum is treated as one sample of a mixture makes bounds a little
wider than those of strata, never narrower.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from compat_eval.comparison.ill_sides import never_right
from compat_eval.comparison.judge_noise import pooled_within_judge_noise
from compat_eval.comparison.judging import find, worst_table
from compat_eval.comparison.update import Update
from compat_eval.core.estimate import rounded
from compat_eval.core.grades import BROKEN, FIXED, Scale
from compat_eval.core.rows import CodedRows
from compat_eval.core.statistic import Statistic
from compat_eval.core.verdict import Verdict
from compat_eval.gates import (
    GateResult,
    OtherClaims,
    ProtectedFinding,
    claims_of,
    judge,
)
from compat_eval.gates.release import MEAN, PooledGate
from compat_eval.statistics.combined import WorstOfSeveral
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.intervals.evidence import Evidence, Undefined
from compat_eval.statistics.paired_rows import PairedRows

_SCORE_CHANGE = "score_change"
_ARE = {"score": "have scores", "right": "are right or wrong"}

_Updates = Mapping[str, Update]
"""What was compared, by the suite's name."""


def pooled_claims(gate: PooledGate, updates: _Updates) -> OtherClaims:
    """Return what a gate on several suites claims, as it is written."""
    found = claims_of(
        [gate.gate],
        lambda _: _pooled_evidence(gate, updates),
        known=lambda _: _known(updates),
    )
    return OtherClaims.from_dict(rounded(found.to_dict()))


def judge_pooled(
    gate: PooledGate,
    updates: _Updates,
    *,
    alpha: float,
    correction: str,
    doubts: Sequence[str],
    others: OtherClaims,
) -> GateResult:
    """Judge a gate on several suites.

    Args:
        gate: What is demanded.
        updates: The suites that it is about.
        alpha: Allowed error of the release.
        correction: How gates share it.
        doubts: Why no gate may pass.
        others: The claims of all others that decide.

    """

    def judging(read: _Updates) -> GateResult:
        (found,) = judge(
            [gate.gate],
            lambda _: _pooled_evidence(gate, read),
            alpha=alpha,
            correction="none" if correction == "none" else "holm",
            doubts=doubts,
            others=others,
            known=lambda _: _known(read),
        )
        return found

    result = pooled_within_judge_noise(updates, judging(updates), judging)
    if result.verdict is Verdict.PASS:
        for name, update in updates.items():
            if gate.gate.quantity == _SCORE_CHANGE:
                break
            why = never_right(update.table(update.levels[0]))
            if why is not None:
                return result.inconclusive(f"{name}: {why}")
    return result


def _pooled_evidence(gate: PooledGate, updates: _Updates) -> Evidence:
    """Return what several suites say together; answers nobody knows at the worst."""
    scores = gate.gate.quantity == _SCORE_CHANGE
    unfit = _unfit(updates, "score" if scores else "right")
    if unfit is not None:
        return Undefined(reason=unfit)
    if scores:
        return _of_scores(gate, updates)
    if gate.any_drop:
        return _worst_of(gate, updates)
    statistic = FLIP_STATISTICS[gate.gate.quantity]
    highest = gate.gate.side == "at_most"
    tables = [_table(one, statistic, highest=highest) for one in updates.values()]
    total = added(tables, alike=gate.name.startswith(MEAN))
    return evidence(total, statistic)


def _known(updates: _Updates) -> Mapping[str, Statistic]:
    """Return the statistics of all suites' levels, by name."""
    known = dict(FLIP_STATISTICS)
    for update in updates.values():
        known |= update.statistics_at(update.levels[0])
    return known


def _unfit(updates: _Updates, scale: Scale) -> str | None:
    """Return why suites cannot be added up; `None` where they can."""
    if not updates:
        return "none of its suites was compared"
    for name, update in updates.items():
        found = update.cells[update.levels[0]].level.scale
        if found != scale:
            return f"the units of {name} {_ARE.get(found, 'have no gold')}"
        if update.weights is not None:
            return f"the examples of {name} have weights of their own"
    return None


def _table(update: Update, statistic: Statistic, *, highest: bool) -> FlipTable:
    return worst_table(
        update,
        update.levels[0],
        None,
        value=statistic.value,
        highest=highest,
        errors=True,
    )


def _of_scores(gate: PooledGate, updates: _Updates) -> Evidence:
    """Return the change of the mean score of several suites' units.

    Repeated answers to an example are one unit by then: their mean.
    """
    samples, changes = [], []
    for name, update in updates.items():
        alone = find(update, gate.gate, errors=True)
        if isinstance(alone, ProtectedFinding) or math.isnan(alone.value):
            return Undefined(reason=f"{name}: {alone.estimate(0.95).reason}")
        level = update.levels[0]
        changes.append(update.statistics_at(level)[_SCORE_CHANGE])
        sample = update.sample(changes[-1], level)
        assert isinstance(sample, PairedRows)
        samples.append(sample)
    if len({one.better for one in changes}) > 1:
        return Undefined(reason="in some suites higher is better, in others lower")
    total = stacked_rows(samples, alike=gate.name.startswith(MEAN))
    return evidence(total, changes[0])


def stacked_rows(samples: Sequence[PairedRows], *, alike: bool = False) -> PairedRows:
    """Return rows of several independent samples as one; clusters stay apart.

    Args:
        samples: Without weights.
        alike: Whether each sample weighs the same, whatever its size.

    """
    clusters, start = [], 0
    for one in samples:
        own = np.arange(one.n_examples) if one.clusters is None else one.clusters
        clusters.append(own + start)
        start += int(own.max(initial=-1)) + 1
    total = sum(one.n_examples for one in samples)
    weights = [
        np.full(one.n_examples, total / (len(samples) * max(one.n_examples, 1)))
        for one in samples
    ]
    apart = all(one.clusters is None for one in samples)
    return PairedRows(
        old=CodedRows.plain(np.concatenate([one.old.dense() for one in samples])),
        new=CodedRows.plain(np.concatenate([one.new.dense() for one in samples])),
        clusters=None if apart else np.concatenate(clusters),
        weights=np.concatenate(weights) if alike else None,
        key=("pooled",),
    )


def _worst_of(gate: PooledGate, updates: _Updates) -> Evidence:
    samples = []
    for name, update in updates.items():
        found = find(update, gate.gate, errors=True)
        assert not isinstance(found, ProtectedFinding)
        samples.append((name, found))
    change = FLIP_STATISTICS["accuracy_change"]
    tables = [_table(one, change, highest=False) for one in updates.values()]
    flips = tuple((int(t.counts[BROKEN]), int(t.counts[FIXED])) for t in tables)
    return WorstOfSeveral(
        samples=tuple(samples),
        combination="fisher" if gate.name == "fisher" else "max_drop",
        flips=None if any(one.clustered for one in tables) else flips,
    )


def added(tables: Sequence[FlipTable], *, alike: bool = False) -> FlipTable:
    """Return the counts of several independent samples as one table.

    Args:
        tables: Without weights.
        alike: Whether each sample weighs the same, whatever its size.

    """
    counts = np.sum([one.counts for one in tables], axis=0)
    n_examples = sum(one.n_examples for one in tables)
    if not alike and not any(one.clustered for one in tables):
        return FlipTable(counts=counts, n_examples=n_examples)
    units = counts[:4].sum()
    scales = np.array(
        [
            units / (len(tables) * one.n_units) if alike and one.n_units else 1.0
            for one in tables
        ]
    )
    rows = [one.grouped[0] * by for one, by in zip(tables, scales, strict=True)]
    return FlipTable(
        counts=counts,
        n_examples=n_examples,
        rows=np.concatenate(rows),
        times=np.concatenate([one.grouped[1] for one in tables]),
        weighted=alike,
    )
