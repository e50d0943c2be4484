"""What was decided about an upgrade of an encoder, and what every way is worth."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from compat_eval.comparison.index_decision.generation import IndexGeneration
from compat_eval.comparison.index_decision.ways import (
    ServingCost,
    UpgradeAction,
    UpgradeTolerance,
)
from compat_eval.core.estimate import Estimate

UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedWay:
    """What the queries say about a way.

    Attributes:
        role: See `UpgradeWay`; so are `action`, `share`, `needs_old` and `cost`.
        mean: Of the measure.
        against_old: The mean less OLD's, paired, with its interval.
        against_reindex: Likewise less that of the full re-index.
        p: Of "it is not acceptable", to be held against `level`.
        level: Its part of alpha.
        acceptable: Whether it is shown to be within both tolerances.
        outdone: The way that is shown to be better by more than the tolerance, or
            nothing.

    """

    role: str
    action: UpgradeAction
    share: float
    needs_old: bool
    cost: ServingCost
    mean: float
    against_old: Estimate
    against_reindex: Estimate
    p: float
    level: float
    acceptable: bool
    outdone: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "action": self.action.value,
            "cost": asdict(self.cost),
            **{name: getattr(self, name).to_dict() for name in _ESTIMATES},
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "JudgedWay":
        """Read back what `to_dict` wrote."""
        found = {name: Estimate.from_dict(fields[name]) for name in _ESTIMATES}
        action = UpgradeAction(fields["action"])
        cost = ServingCost(**fields["cost"])
        return cls(**{**fields, **found, "action": action, "cost": cost})


_PLAIN = ("role", "share", "needs_old", "mean", "p", "level", "acceptable", "outdone")
_ESTIMATES = ("against_old", "against_reindex")


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedBackfill:
    """What the queries say about one order.

    Attributes:
        order: Its name.
        shares: What was judged at each share, from none to all of the index.
        area: Under the curve: the mean while the index is embedded at a steady pace.
        worst: Share at which the measure is least.
        certified: The least share above 0 from which on all are acceptable; `None`
            where only the whole index is.

    """

    order: str
    shares: tuple[JudgedWay, ...]
    area: float
    worst: float
    certified: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {
            "order": self.order,
            "area": self.area,
            "worst": self.worst,
            "certified": self.certified,
            "shares": [one.to_dict() for one in self.shares],
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "JudgedBackfill":
        """Read back what `to_dict` wrote."""
        shares = tuple(map(JudgedWay.from_dict, fields["shares"]))
        return cls(**{**fields, "shares": shares})


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeDecision:
    """What to do about an upgrade, and why.

    Attributes:
        verdict: One of the six actions, or `undecided`.
        role: The way that is taken; empty where undecided.
        reason: In sentences.
        measure: What each query has a value of, such as `ndcg`.
        n_queries: How many were asked.
        fresh_queries: About how many fresh ones would settle what is undecided, if
            these are like all others; `None` where settled or unknown.
        tolerance: What the user would accept.
        alpha: The chance that any way is called acceptable wrongly.
        ways: Every way, the least work first.
        backfills: Every order.
        identities: What OLD's index, NEW's and mixed ones make of identities, where
            labels say what matches.

    """

    verdict: str
    role: str
    reason: str
    measure: str
    n_queries: int
    fresh_queries: int | None
    tolerance: UpgradeTolerance
    alpha: float
    ways: tuple[JudgedWay, ...]
    backfills: tuple[JudgedBackfill, ...] = ()
    identities: tuple[IndexGeneration, ...] = ()

    @property
    def taken(self) -> JudgedWay | None:
        """The way that is taken; `None` where undecided."""
        return next((one for one in self.ways if one.role == self.role), None)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {
            "verdict": self.verdict,
            "role": self.role,
            "reason": self.reason,
            "measure": self.measure,
            "n_queries": self.n_queries,
            "fresh_queries": self.fresh_queries,
            "tolerance": asdict(self.tolerance),
            "alpha": self.alpha,
            "ways": [one.to_dict() for one in self.ways],
            "backfills": [one.to_dict() for one in self.backfills],
            "identities": [one.to_dict() for one in self.identities],
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "UpgradeDecision":
        """Read back what `to_dict` wrote."""
        return cls(
            **{
                **fields,
                "tolerance": UpgradeTolerance(**fields["tolerance"]),
                "ways": tuple(map(JudgedWay.from_dict, fields["ways"])),
                "backfills": tuple(map(JudgedBackfill.from_dict, fields["backfills"])),
                "identities": tuple(
                    map(IndexGeneration.from_dict, fields["identities"])
                ),
            }
        )
