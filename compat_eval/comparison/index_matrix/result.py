"""The upgrade matrix of a comparison, as frozen values with one JSON form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compat_eval.comparison.index_matrix.roles import IndexRoles
from compat_eval.core.estimate import Estimate, as_number, defined
from compat_eval.statistics.upgrade_matrix import Compatible


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixCell:
    """One encoder's queries on one encoder's index.

    Attributes:
        queries: Version of the queries; `paragon` for both of a paragon's cell.
        index: Version of the index.
        role: Of the panel.
        values: Mean of each measure over the queries, by its name.
        score_shift: How far the scores of the first documents moved from those of the
            oldest version on its own index: the statistic of Kolmogorov and Smirnov.
        cmc: Share of queries that find a relevant document among the first k, by k.

    """

    queries: str
    index: str
    role: str
    values: Mapping[str, Estimate]
    score_shift: float
    cmc: Mapping[int, float]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {
            "queries": self.queries,
            "index": self.index,
            "role": self.role,
            "values": {name: one.to_dict() for name, one in self.values.items()},
            "score_shift": defined(self.score_shift),
            "cmc": [[k, defined(share)] for k, share in self.cmc.items()],
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "MatrixCell":
        """Read back what `to_dict` wrote."""
        found = fields["values"].items()
        return cls(
            queries=fields["queries"],
            index=fields["index"],
            role=fields["role"],
            values={name: Estimate.from_dict(one) for name, one in found},
            score_shift=as_number(fields["score_shift"]),
            cmc={int(k): as_number(share) for k, share in fields["cmc"]},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PairMeasure:
    """One measure of one version's queries on an older one's index.

    Attributes:
        measure: Its name.
        decision: Whether M(new, old) > M(old, old) is certified, refuted or undecided.
        holds: Whether it is so on these queries.
        gain_points: M(new, old) − M(old, old), paired.
        p_certify: p-value of "not better than OLD", by Holm over all pairs.
        p_refute: p-value of "better than OLD", likewise.
        p_randomisation: Two-sided p-value of the paired randomisation test.
        update_gain: The share of the way to the paragon; undefined without one.
        share_means_little: Whether the paragon is too near to OLD for a share.
        tax: M(paragon) − M(new, new), paired; undefined without a paragon.
        against_paragon: M(new, old) − M(paragon), paired; undefined without a paragon.
        keeping: M(new, old) − M(new, new): what an index that stays costs.
        retention: M(new, old) / M(new, new): the part of a full re-index.
        p_comp: Score of compatibility in (0, 1), ½ is as good as keeping OLD; nan
            without a paragon, or where that is not better than OLD.
        p_up: Likewise of NEW on its own index, ½ is as good as the paragon.

    """

    measure: str
    decision: Compatible
    holds: bool
    gain_points: Estimate
    p_certify: float
    p_refute: float
    p_randomisation: float
    update_gain: Estimate
    share_means_little: bool
    tax: Estimate
    against_paragon: Estimate
    keeping: Estimate
    retention: Estimate
    p_comp: float
    p_up: float

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {
            "measure": self.measure,
            "decision": self.decision.value,
            "holds": self.holds,
            "share_means_little": self.share_means_little,
            **{name: getattr(self, name).to_dict() for name in _ESTIMATES},
            **{name: defined(getattr(self, name)) for name in _NUMBERS},
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "PairMeasure":
        """Read back what `to_dict` wrote."""
        return cls(
            **{
                **fields,
                "decision": Compatible(fields["decision"]),
                **{name: Estimate.from_dict(fields[name]) for name in _ESTIMATES},
                **{name: as_number(fields[name]) for name in _NUMBERS},
            }
        )


_ESTIMATES = (
    *("gain_points", "update_gain", "tax", "against_paragon", "keeping", "retention"),
)
_NUMBERS = ("p_certify", "p_refute", "p_randomisation", "p_comp", "p_up")


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixPair:
    """One version's queries on an older version's index.

    Attributes:
        new: Version of the queries.
        old: Version of the index.
        part: Name of a slice, such as `classes=new`; empty for all queries.
        n_queries: How many.
        measures: The main one first.

    """

    new: str
    old: str
    part: str
    n_queries: int
    measures: tuple[PairMeasure, ...]

    @property
    def main(self) -> PairMeasure:
        """The measure that matters most."""
        return self.measures[0]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {
            "new": self.new,
            "old": self.old,
            "part": self.part,
            "n_queries": self.n_queries,
            "measures": [one.to_dict() for one in self.measures],
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "MatrixPair":
        """Read back what `to_dict` wrote."""
        measures = tuple(map(PairMeasure.from_dict, fields["measures"]))
        return cls(**{**fields, "measures": measures})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Decisions by a threshold of scores, of one cell at one false rate.

    Attributes:
        role: Of the panel.
        protocol: `verification` (do two items match?) or `open-set` (is it any?).
        rate: FAR, or FPIR, that the threshold is derived at.
        threshold: Derived anew for the cell; nan where the rankings are too short.
        accepted: TAR, or TPIR, at that one.
        at_old: Likewise at the threshold of the oldest version on its own index, which
            is what a deployed system keeps.
        false_at_old: The false rate that the kept threshold then has.

    """

    role: str
    protocol: str
    rate: float
    threshold: float
    accepted: Estimate
    at_old: Estimate
    false_at_old: float

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {
            "role": self.role,
            "protocol": self.protocol,
            "rate": self.rate,
            "threshold": defined(self.threshold),
            "accepted": self.accepted.to_dict(),
            "at_old": self.at_old.to_dict(),
            "false_at_old": defined(self.false_at_old),
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Verification":
        """Read back what `to_dict` wrote."""
        return cls(
            **{
                **fields,
                "threshold": as_number(fields["threshold"]),
                "accepted": Estimate.from_dict(fields["accepted"]),
                "at_old": Estimate.from_dict(fields["at_old"]),
                "false_at_old": as_number(fields["false_at_old"]),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexMatrix:
    """What is known of every encoder's queries on every encoder's index.

    Attributes:
        roles: Which encoders, and what is left out.
        titles: What people call the measures, by name; the main one first.
        cells: The value of each.
        pairs: Each version's queries on each older one's index; over all queries, and
            then over those whose label OLD knows and does not know, where that is told.
        bridges: The last version's queries on the oldest one's index by other ways,
            such as an adapter, each as a pair whose `new` is the role; `new, new` is
            the full re-index.
        verification: Where labels say which items match.

    """

    roles: IndexRoles
    titles: Mapping[str, str]
    cells: tuple[MatrixCell, ...]
    pairs: tuple[MatrixPair, ...]
    bridges: tuple[MatrixPair, ...] = ()
    verification: tuple[Verification, ...] = ()

    def pair(self, new: str, old: str, part: str = "") -> MatrixPair | None:
        """Return what is known of a pair; `None` where nothing is."""
        wanted = (new, old, part)
        found = (one for one in self.pairs if (one.new, one.old, one.part) == wanted)
        return next(found, None)

    def cell(self, queries: str, index: str) -> MatrixCell | None:
        """Return a cell; `None` where it was left out."""
        found = (c for c in self.cells if (c.queries, c.index) == (queries, index))
        return next(found, None)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {
            "roles": self.roles.to_dict(),
            "measures": [{"name": k, "title": v} for k, v in self.titles.items()],
            "cells": _dicts(self.cells),
            "pairs": _dicts(self.pairs),
            "bridges": _dicts(self.bridges),
            "verification": _dicts(self.verification),
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "IndexMatrix":
        """Read back what `to_dict` wrote."""
        return cls(
            roles=IndexRoles.from_dict(fields["roles"]),
            titles={one["name"]: one["title"] for one in fields["measures"]},
            cells=tuple(map(MatrixCell.from_dict, fields["cells"])),
            pairs=tuple(map(MatrixPair.from_dict, fields["pairs"])),
            bridges=tuple(map(MatrixPair.from_dict, fields["bridges"])),
            verification=tuple(map(Verification.from_dict, fields["verification"])),
        )


def _dicts(
    some: Sequence[MatrixCell | MatrixPair | Verification],
) -> list[dict[str, Any]]:
    return [one.to_dict() for one in some]
