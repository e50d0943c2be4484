"""Ways to upgrade an encoder whose index exists, and what a user would accept.

From the least work to the most: *stay* with OLD; *bridge*, NEW's queries on OLD's
index, as they are or through an adapter; *cascade*, OLD's index recalls and NEW scores
again; *train* an encoder that is compatible with the index; *backfill* a share of the
index; *re-index* all of it.
"""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from compat_eval.core.arrays import Values
from compat_eval.core.errors import UsageError
from compat_eval.statistics.backfill_curve import BackfillCurve
from compat_eval.statistics.families.thresholds import most_within


class UpgradeAction(StrEnum):
    """What may be done about an upgrade of an encoder, the least work first."""

    STAY = "stay"
    BRIDGE = "bridge"
    CASCADE = "cascade"
    TRAIN = "train"
    BACKFILL = "backfill"
    REINDEX = "re-index"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingCost:
    """What a way takes.

    Attributes:
        vectors: How many are embedded anew and written into the index, once.
        mapped: How many of OLD's vectors are mapped and written, without embedding.
        forwards: Passes of an encoder over a query, such as 2 where both are asked.
        documents: How many are embedded for a query, on demand.
        milliseconds: Measured, for a query; `None` where nobody did.

    """

    vectors: int = 0
    mapped: int = 0
    forwards: float = 1.0
    documents: float = 0.0
    milliseconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeWay:
    """A way to serve queries after an upgrade, and how good it is.

    Attributes:
        role: Its name, such as `new+procrustes/old`.
        action: Which of the six it is.
        values: A measure of each query in [0, 1], higher is better.
        cost: What it takes.
        needs_old: Whether OLD's encoder goes on answering queries; it does where one
            stays.
        share: Of the index that is embedded anew; all of it in a re-index.

    """

    role: str
    action: UpgradeAction
    values: Values
    cost: ServingCost = field(default_factory=ServingCost)
    needs_old: bool = False
    share: float = 0.0

    def __post_init__(self) -> None:
        if (self.action is UpgradeAction.REINDEX) != (self.share == 1) and (
            self.action is not UpgradeAction.BACKFILL
        ):
            raise UsageError(f"{self.role}: a re-index embeds the share 1 anew")
        if self.action is UpgradeAction.STAY and not self.needs_old:
            raise UsageError(f"{self.role}: staying needs OLD's encoder")
        known = np.isfinite(self.values) & (self.values >= 0) & (self.values <= 1)
        if not (len(self.values) and known.all()):
            raise UsageError(
                f"{self.role}: {int((~known).sum())} of {len(self.values)} queries "
                "have no value in [0, 1]"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillWays:
    """One order in which an index is embedded anew, share by share.

    Attributes:
        order: Its name.
        curve: The measure of each query at each share; the last is the re-index.
        roles: Name of each share, all different.
        vectors: How many the index holds.
        forwards: Passes of an encoder over a query while the index is mixed.
        needs_old: Whether OLD's encoder answers as long as the index is mixed.

    """

    order: str
    curve: BackfillCurve
    roles: tuple[str, ...]
    vectors: int
    forwards: float = 1.0
    needs_old: bool = False

    def ways(self) -> list[UpgradeWay]:
        """Return a way for each share, from none to all."""
        return [
            UpgradeWay(
                role=role,
                action=UpgradeAction.BACKFILL,
                values=values,
                cost=ServingCost(
                    vectors=most_within(float(share), self.vectors),
                    forwards=self.forwards,
                ),
                needs_old=self.needs_old,
                share=float(share),
            )
            for role, share, values in zip(
                self.roles, self.curve.shares, self.curve.queries, strict=True
            )
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeTolerance:
    """What a user would accept.

    Attributes:
        below_reindex: How far below a full re-index, in units of the measure.
        below_old: How far below what OLD gives now.
        old_may_answer: Whether OLD's encoder can go on answering queries; where it
            is switched off, what needs it cannot be chosen.

    """

    below_reindex: float = 0.01
    below_old: float = 0.0
    old_may_answer: bool = True

    def __post_init__(self) -> None:
        for name in ("below_reindex", "below_old"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise UsageError(
                    f"{name} must be in [0, 1), in units of the measure; got {value}. "
                    "For 1 point write 0.01"
                )
