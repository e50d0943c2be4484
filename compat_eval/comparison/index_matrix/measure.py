"""Measure the upgrade matrix on a panel whose roles are encoders on indices.

See `statistics.upgrade_matrix` for what is certified, and for the sources.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from compat_eval.comparison.index_matrix.ranked import RankedScores, relevant_ones
from compat_eval.comparison.index_matrix.result import (
    IndexMatrix,
    MatrixCell,
    MatrixPair,
    PairMeasure,
)
from compat_eval.comparison.index_matrix.roles import IndexRoles
from compat_eval.comparison.index_matrix.verification import verified
from compat_eval.comparison.panel import PARAGON, Panel
from compat_eval.comparison.slices import slices
from compat_eval.core.arrays import Bools, Values
from compat_eval.core.estimate import Estimate
from compat_eval.core.examples import CLASSES_SLICE
from compat_eval.core.rows import CodedRows
from compat_eval.core.statistic import Statistic
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS, ratio
from compat_eval.statistics.families.matches import NO_MATCH, cmc
from compat_eval.statistics.families.upgrades import (
    p_comp,
    p_up,
    share_means_little,
    upgrade_sums,
)
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.paired_rows import PairedRows
from compat_eval.statistics.randomisation import randomisation_p
from compat_eval.statistics.resampling import generator
from compat_eval.statistics.score_shift import ks_distance
from compat_eval.statistics.upgrade_matrix import Compatibility, UpgradeMatrix
from compat_eval.tasks.retrieval.task import Retrieval

_RIGHT = "query"
"""The measure whose values are right or wrong."""

_KS = (1, 5, 10, 20, 50, 100)
"""Places up to which the cumulative match characteristic is told."""

_MEAN = Statistic(
    name="mean",
    value=lambda rows: ratio(rows[..., 0], rows[..., 1]),
    better="higher",
    description="Mean of the measure over the queries.",
    ends=(0.0, 1.0),
)


def index_matrix(
    panel: Panel,
    roles: IndexRoles,
    *,
    bridges: Sequence[str] = (),
    confidence: float,
) -> IndexMatrix:
    """Return the value of every cell, and what is proven of every pair.

    Args:
        panel: Of the task kind `retrieval`, with the roles.
        roles: Which of them are encoders on indices.
        bridges: Roles of the last version's queries on the first one's index by other
            ways, such as an adapter.
        confidence: Of the intervals; 1 less it is the error of each family of claims.

    """
    bench = _Bench.of(panel, roles, bridges, confidence)
    parts = [("", np.ones(len(panel.examples), np.bool_))]
    known = slices(panel.examples)
    parts += [(n, m) for n, m in known if n.partition("=")[0] == CLASSES_SLICE]
    return IndexMatrix(
        roles=roles,
        titles=bench.titles,
        cells=tuple(bench.cells()),
        pairs=tuple(pair for part in parts for pair in bench.pairs(*part)),
        bridges=tuple(bench.over_bridges()),
        verification=tuple(verified(panel, roles, bridges, confidence=confidence)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """Every role's measures.

    Attributes:
        measured: By role and measure, a value of each query; shape (n_queries,).

    """

    panel: Panel
    roles: IndexRoles
    bridges: Sequence[str]
    confidence: float
    titles: Mapping[str, str]
    measured: Mapping[str, Mapping[str, Values]]

    @classmethod
    def of(
        cls,
        panel: Panel,
        roles: IndexRoles,
        bridges: Sequence[str],
        confidence: float,
    ) -> "_Bench":
        task = panel.task
        assert isinstance(task, Retrieval), "only rankings are of encoders on indices"
        return cls(
            panel=panel,
            roles=roles,
            bridges=bridges,
            confidence=confidence,
            titles=task.titles,
            measured={
                role: task.measured(panel.examples, panel.answers[role])
                for role in (*roles.roles(), *bridges)
            },
        )

    def cells(self) -> Iterator[MatrixCell]:
        """Yield the value of each cell, then of the paragon, then of bridges."""
        named = {**self.roles.cells()}
        if self.roles.paragon:
            named[PARAGON, PARAGON] = PARAGON
        named |= {(role, self.roles.versions[0]): role for role in self.bridges}
        first = self._best_scores(self.roles.versions[0])
        for (queries, index), role in named.items():
            yield MatrixCell(
                queries=queries,
                index=index,
                role=role,
                values={name: self._mean(role, name) for name in self.titles},
                score_shift=ks_distance(first, self._best_scores(role)),
                cmc=self._cmc(role),
            )

    def pairs(self, part: str, mask: Bools) -> Iterator[MatrixPair]:
        """Yield what is known of each pair of versions on some of the queries."""
        matrices = {name: self._matrix(name, mask) for name in self.titles}
        yield from self._of_pairs(matrices, part, int(mask.sum()))

    def _of_pairs(
        self, matrices: Mapping[str, UpgradeMatrix], part: str, n_queries: int
    ) -> Iterator[MatrixPair]:
        alpha = 1 - self.confidence
        found = {
            name: one.compatibilities(alpha=alpha, confidence=self.confidence)
            for name, one in matrices.items()
        }
        for at, pair in enumerate(matrices[_RIGHT].pairs()):
            new, old = pair
            yield MatrixPair(
                new=new,
                old=old,
                part=part,
                n_queries=n_queries,
                measures=tuple(
                    self._measure(name, matrices[name], found[name][at])
                    for name in self.titles
                ),
            )

    def over_bridges(self) -> Iterator[MatrixPair]:
        """Yield what is known of each bridge, as of the pair that it joins.

        NEW on its own index is a full re-index, whatever the bridge; Holm's family is
        that of all bridges.
        """
        if not self.bridges:
            return
        first, last = self.roles.versions[0], self.roles.versions[-1]
        whole = np.ones(len(self.panel.examples), np.bool_)
        matrices = {}
        for name in self.titles:
            plain = self._matrix(name, whole)
            own = plain.cells[last, last]
            values = {
                r: self.measured[r][name].astype(np.float64) for r in self.bridges
            }
            matrices[name] = replace(
                plain,
                versions=(first, *self.bridges),
                cells={
                    (first, first): plain.cells[first, first],
                    **{(r, first): one for r, one in values.items()},
                    **dict.fromkeys([(r, r) for r in self.bridges], own),
                },
                paragons={
                    role: one
                    for role in self.bridges
                    for one in plain.paragons.values()
                },
            )
        yield from self._of_pairs(matrices, "", len(whole))

    def _matrix(self, name: str, mask: Bools) -> UpgradeMatrix:
        clusters = self.panel.examples.clusters()
        of_roles = {
            role: values[name][mask].astype(np.float64)
            for role, values in self.measured.items()
        }
        last = self.roles.versions[-1]
        return UpgradeMatrix(
            versions=self.roles.versions,
            cells={at: of_roles[role] for at, role in self.roles.cells().items()},
            paragons={last: of_roles[PARAGON]} if self.roles.paragon else {},
            right=name == _RIGHT,
            clusters=None if clusters is None else clusters[mask],
            seed=self.panel.seed,
        )

    def _measure(
        self, name: str, matrix: UpgradeMatrix, found: Compatibility
    ) -> PairMeasure:
        new, old = found.new, found.old

        def told(statistic: str) -> Estimate:
            return matrix.upgrade(new, old, statistic).estimate(self.confidence)

        own, kept = matrix.cells[old, old], matrix.cells[new, old]
        renewed, paragon = matrix.cells[new, new], matrix.paragons.get(new)
        means = [np.array([one.mean()]) for one in (own, kept, renewed)]
        best = np.array([np.nan if paragon is None else paragon.mean()])
        little = paragon is not None and share_means_little(
            np.concatenate(
                upgrade_sums(
                    old_old=own, new_old=kept, new_new=renewed, paragon=paragon
                ),
                axis=1,
            ).sum(axis=0)
        )
        rng = generator(self.panel.seed, "randomisation", name, new, old)
        keeping = matrix.difference((new, old), (new, new))
        return PairMeasure(
            measure=name,
            decision=found.decision,
            holds=found.holds,
            gain_points=found.change,
            p_certify=found.p_certify,
            p_refute=found.p_refute,
            p_randomisation=randomisation_p(own, kept, rng=rng),
            update_gain=told("update_gain"),
            share_means_little=little,
            tax=told("compatibility_tax"),
            against_paragon=matrix.against_paragon(new, old).estimate(self.confidence),
            keeping=keeping.estimate(self.confidence),
            retention=told("retention"),
            p_comp=p_comp(means[1], means[0], best),
            p_up=p_up(means[2], best),
        )

    def _mean(self, role: str, name: str) -> Estimate:
        values, clusters = self.measured[role][name], self.panel.examples.clusters()
        key = (self.panel.name, "matrix", name, role)
        if name == _RIGHT:
            codes = np.where(values > 0, 0, 3).astype(np.int64)
            table = FlipTable.of(
                codes, clusters=clusters, seed=self.panel.seed, key=key
            )
            return evidence(table, FLIP_STATISTICS["accuracy_new"]).estimate(
                self.confidence
            )
        rows = CodedRows.plain(np.stack([values, np.ones(len(values))], axis=1))
        sums = PairedRows(
            old=rows, new=rows, clusters=clusters, seed=self.panel.seed, key=key
        )
        return evidence(sums, _MEAN.of_new()).estimate(self.confidence)

    def _cmc(self, role: str) -> dict[int, float]:
        """Return the cumulative match characteristic at a few k."""
        ranked = RankedScores.of(self.panel, role)
        relevant, _ = relevant_ones(self.panel, role)
        at = ranked.first(relevant)
        ranks = np.where(at >= 0, at - ranked.offsets[:-1] + 1.0, NO_MATCH)
        known = [k for k in _KS if k <= ranked.sizes().max(initial=0)]
        shares = cmc(ranks, np.array(known, np.int64)).tolist()
        return dict(zip(known, shares, strict=True))

    def _best_scores(self, role: str) -> Values:
        return RankedScores.of(self.panel, role).best()
