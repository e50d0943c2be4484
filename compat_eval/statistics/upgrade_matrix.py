"""The upgrade matrix: every version's queries on every version's index.

NEW is compatible with OLD where M(new, old) > M(old, old), strictly: its queries find
more in OLD's index than OLD's own. Shen et al., "Towards Backward-Compatible
Representation Learning", CVPR 2020, https://arxiv.org/abs/2003.11942. Compatibility is
not transitive, so every pair of versions is looked at, and not neighbours alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from compat_eval.core.arrays import Ints, Rows, Values
from compat_eval.core.errors import UsageError
from compat_eval.core.estimate import Estimate
from compat_eval.core.rows import CodedRows
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.upgrades import (
    UPGRADE_STATISTICS,
    upgrade_sums,
)
from compat_eval.statistics.intervals.evidence import Evidence, Undefined
from compat_eval.statistics.multiplicity import holm
from compat_eval.statistics.paired_queries import paired_difference
from compat_eval.statistics.paired_rows import PairedRows


class Compatible(StrEnum):
    """Whether an upgrade's queries may be asked of the index as it is."""

    CERTIFIED = "certified"
    REFUTED = "refuted"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compatibility:
    """What the queries say about one version's queries on another's index.

    Attributes:
        new: Version of the queries.
        old: Version of the index.
        holds: Whether M(new, old) > M(old, old) on these queries.
        change: M(new, old) − M(old, old), with its paired interval.
        decision: What is proven, in the family of all pairs.
        p_certify: p-value of "not better than OLD", adjusted by Holm.
        p_refute: p-value of "better than OLD", likewise.

    """

    new: str
    old: str
    holds: bool
    change: Estimate
    decision: Compatible
    p_certify: float
    p_refute: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeMatrix:
    """A measure of each query, for queries and indices of several versions.

    Attributes:
        versions: The oldest first.
        cells: By version of the queries and of the index: shape (n_queries,), higher
            is better, the same queries everywhere.
        paragons: Of a version, trained without compatibility, on its own index.
        right: Whether a query is right (1) or wrong (0), and not scored.
        clusters: A number of the cluster of each query; absent where independent.
        seed: Random seed.

    """

    versions: tuple[str, ...]
    cells: Mapping[tuple[str, str], Values]
    paragons: Mapping[str, Values]
    right: bool
    clusters: Ints | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        named = {version for pair in self.cells for version in pair}
        if unknown := (named | set(self.paragons)) - set(self.versions):
            raise UsageError(f"no version is called {', '.join(sorted(unknown))}")
        if lacking := [v for v in self.versions if (v, v) not in self.cells]:
            raise UsageError(f"no queries of {', '.join(lacking)} on its own index")
        given = {f"{q} on {g}": values for (q, g), values in self.cells.items()}
        given |= {f"the paragon of {v}": values for v, values in self.paragons.items()}
        if len({len(values) for values in given.values()}) > 1:
            raise UsageError("cells have different numbers of queries")
        for name, values in given.items():
            known = np.isin(values, (0, 1)) if self.right else np.isfinite(values)
            if not known.all():
                raise UsageError(
                    f"{name}: {int((~known).sum())} queries have no value"
                    + (" of 0 or 1" if self.right else "")
                )

    def pairs(self) -> list[tuple[str, str]]:
        """Return each new version and each older one whose index it was asked on."""
        place = {version: at for at, version in enumerate(self.versions)}
        return [
            (new, old)
            for old in self.versions
            for new in self.versions
            if place[old] < place[new] and (new, old) in self.cells
        ]

    def compatibilities(
        self, *, alpha: float = 0.05, confidence: float = 0.95
    ) -> list[Compatibility]:
        """Say of all pairs which are compatible, each family wrong at most at alpha.

        What is certified and what is refuted are two families, as gates have them.
        """
        found = [(pair, self.change(*pair)) for pair in self.pairs()]
        certify = _adjusted([one.p_at_most(0.0) for _, one in found])
        refute = _adjusted([one.p_above(0.0) for _, one in found])
        return [
            Compatibility(
                new=new,
                old=old,
                holds=one.value > 0,
                change=one.estimate(confidence),
                decision=_decision(yes, no, alpha),
                p_certify=yes,
                p_refute=no,
            )
            for ((new, old), one), yes, no in zip(found, certify, refute, strict=True)
        ]

    def change(self, new: str, old: str) -> Evidence:
        """Return the evidence on M(new, old) − M(old, old)."""
        return self.difference((new, old), (old, old))

    def difference(self, cell: tuple[str, str], other: tuple[str, str]) -> Evidence:
        """Return the evidence on one cell less another, paired by query.

        Heterogeneous search, where a small encoder's queries meet a large one's index
        for good, asks for (small, large) less (small, small), and how far that is
        below (large, large): Duggal et al., "Compatibility-aware Heterogeneous Visual
        Search", CVPR 2021, https://arxiv.org/abs/2105.06047.

        Raises:
            UsageError: A cell was not measured.

        """
        if lacking := [pair for pair in (cell, other) if pair not in self.cells]:
            query, index = lacking[0]
            raise UsageError(f"queries of {query} were not asked on {index}'s index")
        return paired_difference(
            self.cells[other],
            self.cells[cell],
            right=self.right,
            clusters=self.clusters,
            seed=self.seed,
            key=(*cell, *other),
        )

    def against_paragon(self, new: str, old: str) -> Evidence:
        """Return the evidence on M(new, old) less that of NEW's paragon, paired.

        Of a small encoder whose paragon is one that was trained alone this is the other
        reference of heterogeneous search, see `difference`.
        """
        if new not in self.paragons:
            return Undefined(reason=f"there is no paragon of {new}")
        return paired_difference(
            self.paragons[new],
            self.cells[new, old],
            right=self.right,
            clusters=self.clusters,
            seed=self.seed,
            key=(new, old, "paragon"),
        )

    def upgrade(self, new: str, old: str, statistic: str) -> Evidence:
        """Return the evidence on one of `UPGRADE_STATISTICS`.

        Without a paragon of NEW what needs one is undefined.
        """
        if statistic == "gain_points":
            return self.change(new, old)
        if new not in self.paragons and statistic != "retention":
            return Undefined(reason=f"there is no paragon of {new}")
        if statistic == "compatibility_tax":
            return paired_difference(
                self.cells[new, new],
                self.paragons[new],
                right=self.right,
                clusters=self.clusters,
                seed=self.seed,
                key=(new, old, statistic),
            )
        sums = upgrade_sums(
            old_old=self.cells[old, old],
            new_old=self.cells[new, old],
            new_new=self.cells[new, new],
            paragon=self.paragons.get(new, self.cells[old, old]),
        )
        return self._evidence(sums, statistic, (new, old))

    def _evidence(
        self, sums: tuple[Rows, Rows], statistic: str, key: tuple[str, ...]
    ) -> Evidence:
        before, after = map(CodedRows.plain, sums)
        rows = PairedRows(
            old=before,
            new=after,
            clusters=self.clusters,
            seed=self.seed,
            key=(*key, statistic),
        )
        return evidence(rows, UPGRADE_STATISTICS[statistic])


def _adjusted(p_values: list[float]) -> list[float]:
    """Return Holm's p-values; what is undefined proves nothing."""
    return list(map(float, holm(np.nan_to_num(p_values, nan=1.0)))) if p_values else []


def _decision(certify: float, refute: float, alpha: float) -> Compatible:
    if certify <= alpha:
        return Compatible.CERTIFIED
    return Compatible.REFUTED if refute <= alpha else Compatible.UNDECIDED
