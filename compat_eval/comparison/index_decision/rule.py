"""The rule that takes one of six ways to upgrade an encoder, by what queries prove.

The cheapest way is taken that is acceptable: shown to be no further below a full
re-index than the user tolerates, and no further below OLD. One that another acceptable
way is shown to beat by more than the tolerance is passed over. Where neither staying
nor re-indexing nor anything between is shown to be acceptable, it is undecided.

The chance that any way is called acceptable wrongly is at most alpha, though the same
queries choose and prove. A way's claim holds where both of its parts do
(intersection-union: Berger, "Multiparameter Hypothesis Testing and Acceptance
Sampling", Technometrics 1982). Half of alpha is for re-indexing; once that is shown,
alpha is split evenly among all other ways (Bretz et al., "A graphical approach to
sequentially rejective multiple test procedures", Statistics in Medicine 28, 2009,
https://doi.org/10.1002/sim.3495). Shares of a backfill are tested in a fixed order,
from the whole index downwards, each at its order's whole part.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from compat_eval.comparison.index_decision.result import (
    UNDECIDED,
    JudgedBackfill,
    JudgedWay,
    UpgradeDecision,
)
from compat_eval.comparison.index_decision.ways import (
    BackfillWays,
    UpgradeAction,
    UpgradeTolerance,
    UpgradeWay,
)
from compat_eval.core.arrays import Ints
from compat_eval.core.errors import UsageError, some
from compat_eval.core.estimate import Estimate
from compat_eval.statistics.intervals.evidence import Evidence
from compat_eval.statistics.paired_queries import paired_difference

_LADDER = tuple(UpgradeAction)
_BETWEEN = (UpgradeAction.STAY, UpgradeAction.REINDEX)


def decide_upgrade(
    ways: Sequence[UpgradeWay],
    backfills: Sequence[BackfillWays] = (),
    *,
    tolerance: UpgradeTolerance | None = None,
    measure: str = "",
    right: bool = False,
    alpha: float = 0.05,
    confidence: float = 0.95,
    clusters: Ints | None = None,
    seed: int = 0,
    also: UpgradeWay | None = None,
) -> UpgradeDecision:
    """Return what to do about an upgrade.

    Args:
        ways: On the same queries; one of them stays with OLD, and one re-indexes.
        backfills: Orders of a backfill, on the same queries too. One whose last values
            are those of the re-index ends in it.
        tolerance: What the user would accept.
        measure: Name of the measure.
        right: Whether values are right (1) or wrong (0), and no scores.
        alpha: The chance that any way is called acceptable wrongly.
        confidence: Of the intervals that are shown, each for itself.
        clusters: A number of the cluster of each query; `None` where independent.
        seed: Random seed of resampling.
        also: Another re-index that would be possible: NEW's own beside a paragon. What
            does less work must not be further below that one either.

    Raises:
        UsageError: No way, or more than one, stays or re-indexes; two have one name,
            or different numbers of queries.

    """
    bench = _Bench(
        old=_only(ways, UpgradeAction.STAY),
        reindexed=_only(ways, UpgradeAction.REINDEX),
        tolerance=tolerance or UpgradeTolerance(),
        right=right,
        confidence=confidence,
        clusters=clusters,
        seed=seed,
        also=also,
    )
    _refuse_unequal([*ways, *bench.ceilings()[1:]], backfills, bench)
    others = [one for one in ways if one.action is not UpgradeAction.REINDEX]
    first = bench.judged(bench.reindexed, alpha / 2)
    left = alpha if first.acceptable else alpha / 2
    every: list[UpgradeWay | BackfillWays] = [*others, *backfills]
    level = left / max(1, sum(map(bench.allows, every)))
    orders = [bench.backfill(one, first, level) for one in backfills]
    judged = [bench.judged(one, level) for one in others]
    offered = dict(zip([one.role for one in others], others, strict=True))
    for one, order in zip(backfills, orders, strict=True):
        shares = zip(one.ways(), order.shares, strict=True)
        for way, found in shares:
            if found.share == order.certified:
                offered[way.role] = way
                judged.append(found)
    offered[bench.reindexed.role] = bench.reindexed
    listed = _passed_over([*judged, first], offered, bench, alpha)
    taken = next((one for one in listed if one.acceptable and not one.outdone), None)
    return UpgradeDecision(
        verdict=taken.action.value if taken else UNDECIDED,
        role=taken.role if taken else "",
        reason=_why_taken(taken, listed, bench) if taken else _why_not(listed, bench),
        measure=measure,
        n_queries=len(bench.old.values),
        fresh_queries=None if taken else bench.fresh(alpha / 2, level),
        tolerance=bench.tolerance,
        alpha=alpha,
        ways=tuple(listed),
        backfills=tuple(orders),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """OLD and the re-index, which every way is held against."""

    old: UpgradeWay
    reindexed: UpgradeWay
    tolerance: UpgradeTolerance
    right: bool
    confidence: float
    clusters: Ints | None
    seed: int
    also: UpgradeWay | None

    def ceilings(self) -> list[UpgradeWay]:
        """Return every re-index that a way must not be far below."""
        return [self.reindexed, *([self.also] if self.also else [])]

    def allows(self, way: UpgradeWay | BackfillWays) -> bool:
        """Whether a way can be taken: OLD's encoder may be about to go."""
        return self.tolerance.old_may_answer or not way.needs_old

    def gain(self, way: UpgradeWay, over: UpgradeWay) -> Evidence:
        """Return the evidence on one way's mean less another's."""
        return paired_difference(
            over.values,
            way.values,
            right=self.right,
            clusters=self.clusters,
            seed=self.seed,
            key=(way.role, over.role),
        )

    def judged(self, way: UpgradeWay, level: float) -> JudgedWay:
        """Return what the queries say about a way."""
        old, reindexed = (self.gain(way, one) for one in (self.old, self.reindexed))
        p = 0.0
        if way.action is not UpgradeAction.STAY:
            p = max(p, _defined(old.p_at_most(-self.tolerance.below_old)))
        for one in self.ceilings() if way.action is not UpgradeAction.REINDEX else ():
            if not np.array_equal(way.values, one.values) or way.share < 1:
                found = self.gain(way, one)
                p = max(p, _defined(found.p_at_most(-self.tolerance.below_reindex)))
        return JudgedWay(
            role=way.role,
            action=way.action,
            share=way.share,
            needs_old=way.needs_old,
            cost=way.cost,
            mean=float(way.values.mean()),
            against_old=old.estimate(self.confidence),
            against_reindex=reindexed.estimate(self.confidence),
            p=p,
            level=level if self.allows(way) else 0.0,
            acceptable=self.allows(way) and p <= level,
        )

    def backfill(
        self, ways: BackfillWays, reindexed: JudgedWay, level: float
    ) -> JudgedBackfill:
        """Return what the queries say about an order."""
        offered = ways.ways()
        shares = [self.judged(one, level) for one in offered]
        ends = np.array_equal(offered[-1].values, self.reindexed.values)
        if ends:
            shares[-1] = replace(shares[-1], acceptable=reindexed.acceptable)
        first = ways.curve.first_certified([one.acceptable for one in shares])
        certified = [
            one.share
            for one in (shares[1:-1] if ends else shares[1:])
            if first is not None and one.share >= first
        ]
        return JudgedBackfill(
            order=ways.order,
            shares=tuple(shares),
            area=ways.curve.area,
            worst=ways.curve.worst[0],
            certified=min(certified, default=None),
        )

    def fresh(self, first: float, level: float) -> int | None:
        """Return how many fresh queries would prove re-indexing, or staying."""
        limit = -self.tolerance.below_old
        renewed = self.gain(self.reindexed, self.old)
        needed = [renewed.fresh_examples(limit, first, side="at_least").examples]
        if self.tolerance.old_may_answer:
            limit = -self.tolerance.below_reindex
            stays = [
                self.gain(self.old, one)
                .fresh_examples(limit, level, side="at_least")
                .examples
                for one in self.ceilings()
            ]
            known = [one for one in stays if one is not None]
            needed.append(max(known) if len(known) == len(stays) else None)
        return min((one for one in needed if one is not None), default=None)


def _only(ways: Sequence[UpgradeWay], action: UpgradeAction) -> UpgradeWay:
    found = [one for one in ways if one.action is action]
    if len(found) != 1:
        raise UsageError(
            f"a decision needs one way to {action}; got {len(found)} of {len(ways)} "
            "ways: measure OLD's queries on OLD's index, and NEW's on NEW's"
        )
    return found[0]


def _refuse_unequal(
    ways: Sequence[UpgradeWay], backfills: Sequence[BackfillWays], bench: _Bench
) -> None:
    shares = [way for one in backfills for way in one.ways()]
    mixed = [one for one in shares if 0 < one.share < 1]
    roles = [one.role for one in (*ways, *mixed)]
    if twice := sorted({one for one in roles if roles.count(one) > 1}):
        raise UsageError(f"several ways have one name: {some(twice)}")
    n = len(bench.old.values)
    every = [*ways, *shares]
    if unequal := [one.role for one in every if len(one.values) != n]:
        raise UsageError(f"{some(unequal)} were not asked the {n} queries of OLD")


def _passed_over(
    judged: Iterable[JudgedWay],
    offered: dict[str, UpgradeWay],
    bench: _Bench,
    alpha: float,
) -> list[JudgedWay]:
    """Return the ways, the least work first, with what outdoes each by far."""
    listed = sorted(judged, key=_work)
    acceptable = [one.role for one in listed if one.acceptable]

    def outdone(way: JudgedWay) -> str:
        for other in acceptable if way.acceptable else ():
            gain = bench.gain(offered[other], offered[way.role])
            more = bench.tolerance.below_reindex
            if other != way.role and _defined(gain.p_at_most(more)) <= alpha:
                return other
        return ""

    return [replace(one, outdone=outdone(one)) for one in listed]


def _work(way: JudgedWay) -> tuple[int, int, int, float, float, str]:
    cost, rung = way.cost, _LADDER.index(way.action)
    return rung, cost.vectors, cost.mapped, cost.documents, cost.forwards, way.role


def _defined(p: float) -> float:
    """Return a p-value; what is undefined proves nothing."""
    return 1.0 if np.isnan(p) else p


def _why_taken(taken: JudgedWay, listed: Sequence[JudgedWay], bench: _Bench) -> str:
    within = _points(bench.tolerance.below_reindex)
    if taken.action is UpgradeAction.STAY:
        said = (
            f"OLD is shown to be at most {within} below a full re-index "
            f"({_interval(taken.against_reindex)}), which is all that it could gain"
        )
    elif taken.action is UpgradeAction.REINDEX:
        said = (
            f"a full re-index is shown to be {_floor(bench)} "
            f"({_interval(taken.against_old)}), and no cheaper way is shown to be at "
            f"most {within} below it{_nearest(listed)}"
        )
    else:
        said = (
            f"the way {taken.role} is shown to be at most {within} below a full "
            f"re-index ({_interval(taken.against_reindex)}) and {_floor(bench)} "
            f"({_interval(taken.against_old)}), and nothing that takes less work is"
        )
    passed = [one for one in listed if one.outdone]
    over = "; ".join(f"{one.role} is beaten by {one.outdone}" for one in passed)
    return said + (f"; passed over: {over} by more than {within}" if passed else "")


def _why_not(listed: Sequence[JudgedWay], bench: _Bench) -> str:
    first = next(one for one in listed if one.action is UpgradeAction.REINDEX)
    said = (
        f"{len(bench.old.values)} queries do not show that a full re-index is "
        f"{_floor(bench)} ({_interval(first.against_old)})"
    )
    if first.acceptable:
        said = "every acceptable way is beaten by another"
    if not bench.tolerance.old_may_answer:
        return f"{said}, and OLD's encoder cannot go on answering"
    within = _points(bench.tolerance.below_reindex)
    return f"{said}, nor that OLD or a way between is at most {within} below it"


def _nearest(listed: Sequence[JudgedWay]) -> str:
    between = [one for one in listed if one.action not in _BETWEEN]
    if not between:
        return ""
    best = max(between, key=lambda one: one.mean)
    return f" (the nearest is {best.role}: {_interval(best.against_reindex)})"


def _floor(bench: _Bench) -> str:
    below = bench.tolerance.below_old
    return f"at most {_points(below)} below OLD" if below else "no worse than OLD"


def _points(value: float) -> str:
    return f"{100 * value:.3g} point{'' if value == 0.01 else 's'}"  # noqa: PLR2004


def _interval(found: Estimate) -> str:
    ends = f" [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"
    known = np.isfinite([found.low, found.high]).all()
    return f"{100 * found.value:+.1f}{ends if known else ''} points"
