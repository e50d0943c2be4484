"""Which roles of a panel are ways to upgrade an encoder, and the decision on them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from compat_eval.comparison.index_decision.generation import IndexGeneration
from compat_eval.comparison.index_decision.identities import identified
from compat_eval.comparison.index_decision.result import UNDECIDED, UpgradeDecision
from compat_eval.comparison.index_decision.rule import decide_upgrade
from compat_eval.comparison.index_decision.ways import (
    BackfillWays,
    ServingCost,
    UpgradeAction,
    UpgradeTolerance,
    UpgradeWay,
)
from compat_eval.comparison.panel import NEW, PARAGON, Panel
from compat_eval.core.arrays import Values
from compat_eval.core.errors import UsageError
from compat_eval.statistics.backfill_curve import BackfillCurve


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedRole:
    """A role that is a way to upgrade; see `UpgradeWay`."""

    role: str
    action: UpgradeAction
    cost: ServingCost = field(default_factory=ServingCost)
    needs_old: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedBackfill:
    """An order of a backfill, whose shares are roles.

    Attributes:
        order: Its name.
        roles: Role of each share, from 0 to 1.
        needs_old: Whether OLD's encoder answers as long as the index is mixed.
        forwards: Passes of an encoder over a query until then.

    """

    order: str
    roles: Mapping[float, str]
    needs_old: bool = False
    forwards: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedRoles:
    """All roles of a panel that are ways to upgrade.

    Attributes:
        roles: One of them stays, one re-indexes.
        backfills: Orders of a backfill.
        vectors: How many the index holds.
        level: The level that decides: its grades are right or wrong, or scores in
            [0, 1].
        tolerance: What the user would accept.

    """

    roles: tuple[OfferedRole, ...]
    backfills: tuple[OfferedBackfill, ...] = ()
    vectors: int
    level: str
    tolerance: UpgradeTolerance = field(default_factory=UpgradeTolerance)

    @classmethod
    def of(cls, found: UpgradeDecision) -> "OfferedRoles":
        """Return what a decision was made on."""
        return cls(
            roles=tuple(
                OfferedRole(
                    role=one.role,
                    action=one.action,
                    cost=one.cost,
                    needs_old=one.needs_old,
                )
                for one in found.ways
                if one.action is not UpgradeAction.BACKFILL
            ),
            backfills=tuple(
                OfferedBackfill(
                    order=one.order,
                    roles={way.share: way.role for way in one.shares},
                    needs_old=one.shares[0].needs_old,
                    forwards=one.shares[0].cost.forwards,
                )
                for one in found.backfills
            ),
            vectors=next(
                one.cost.vectors
                for one in found.ways
                if one.action is UpgradeAction.REINDEX
            ),
            level=found.measure,
            tolerance=found.tolerance,
        )


def decided_on(
    panel: Panel,
    offered: OfferedRoles,
    *,
    confidence: float,
    doubts: Sequence[str] = (),
) -> UpgradeDecision:
    """Return what to do, by the grades of the roles that are offered.

    Args:
        panel: With all these roles, a unit an example.
        offered: What they are.
        confidence: Of the intervals; 1 less it is the error of all claims together.
        doubts: Why nothing of this run may be taken as shown, in clauses; with any, it
            is undecided.

    Raises:
        UsageError: The panel does not count the level that decides.

    """
    if offered.level not in panel.levels:
        raise UsageError(
            f"the decision is made at level {offered.level}, which is not counted; "
            f"there are {', '.join(panel.levels)}"
        )

    def values(role: str) -> Values:
        return np.asarray(panel.grades(role)[offered.level].values, np.float64)

    ways = [_way(one, values(one.role)) for one in offered.roles]
    backfills = [_backfill(one, offered, values) for one in offered.backfills]
    graded = panel.grades(offered.roles[0].role)[offered.level]
    found = decide_upgrade(
        ways,
        backfills,
        tolerance=offered.tolerance,
        measure=offered.level,
        right=graded.values.dtype == np.bool_,
        alpha=1 - confidence,
        confidence=confidence,
        clusters=panel.examples.clusters(),
        seed=panel.seed,
        also=_also(offered, values),
    )
    found = replace(found, identities=_identities(panel, found, confidence))
    if not doubts:
        return found
    reason = f"nothing is decided on a run in doubt: {'; '.join(doubts)}"
    return replace(found, verdict=UNDECIDED, role="", reason=reason, fresh_queries=None)


def _backfill(
    one: OfferedBackfill, offered: OfferedRoles, values: Callable[[str], Values]
) -> BackfillWays:
    """Return an order of a backfill with the grades of each of its shares."""
    return BackfillWays(
        order=one.order,
        curve=BackfillCurve(
            shares=np.array(list(one.roles), np.float64),
            queries=np.stack([values(role) for role in one.roles.values()]),
        ),
        roles=tuple(one.roles.values()),
        vectors=offered.vectors,
        forwards=one.forwards,
        needs_old=one.needs_old,
    )


def _identities(
    panel: Panel, found: UpgradeDecision, confidence: float
) -> tuple[IndexGeneration, ...]:
    """Return those of OLD, of every other way, and of indices that are half NEW's."""
    ways = [w.role for w in found.ways if w.action is not UpgradeAction.BACKFILL]
    halves = [
        min(one.shares, key=lambda way: abs(way.share - 0.5)).role
        for one in found.backfills
    ]
    roles = dict.fromkeys([*ways[:-1], *halves, ways[-1]])
    return identified(panel, list(roles), confidence=confidence)


def _also(offered: OfferedRoles, values: Callable[[str], Values]) -> UpgradeWay | None:
    """Return NEW's own re-index beside a paragon, so that a poor one proves nothing."""
    for one in offered.roles:
        if one.action is UpgradeAction.REINDEX and one.role == PARAGON:
            return _way(replace(one, role=NEW), values(NEW))
    return None


def _way(one: OfferedRole, values: Values) -> UpgradeWay:
    return UpgradeWay(
        role=one.role,
        action=one.action,
        values=values,
        cost=one.cost,
        needs_old=one.needs_old,
        share=float(one.action is UpgradeAction.REINDEX),
    )
