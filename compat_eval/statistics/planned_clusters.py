"""What a gate needs where units share clusters, before any sample is drawn.

The sample that is expected holds clusters of one size, whose units flip with a rate of
their own: beta (Dirichlet) around the expected one, with the intra-cluster correlation.
What it would prove is judged by the very bounds that judge a real sample, so the plan
knows that they do not know the design effect but estimate it, and that few clusters
prove little however large they are.

Sources:
    Griffiths, "Maximum likelihood estimation for the beta-binomial distribution",
    Biometrics 1973 (the distribution of flips of a cluster).
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from compat_eval.core.arrays import Rows, Values
from compat_eval.core.grades import BROKEN, FIXED, KEPT
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.intervals.evidence import Side
from compat_eval.statistics.unlucky import Repeatable

_CLUSTERS = 1_000
_FINEST = 100  # units that are told apart in a cluster; larger ones are coarser
_RAREST = 1e-9
_LEAST_ICC = 1e-6
_QUANTILES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedClusters:
    """Clusters that a fresh sample is expected to hold.

    Attributes:
        size: How many units each holds.
        icc: Intra-cluster correlation, from 0 to 1.
        broken: Share of units that break.
        fixed: Share of units that are fixed.
        change: Whether the gate is on the change in accuracy; else on what breaks.

    """

    size: float
    icc: float
    broken: float
    fixed: float = 0.0
    change: bool = False

    def needed(self, limit: float, alpha: float, power: float) -> int | None:
        """Return from how many units on the gate passes with the chance `power`."""
        fresh = self._expected.fresh_examples(
            limit, alpha, side=self._side, power=power
        )
        return fresh.examples

    def chance(self, n: float, limit: float, alpha: float) -> float:
        """Return the chance that n units pass the gate."""
        times, found = n / (_CLUSTERS * self.size), self._expected
        quantiles = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
        passed = [
            found.proves(limit, alpha, self._side, times, at=at)
            for at in quantiles.tolist()
        ]
        return float(np.mean(passed))

    @property
    def _side(self) -> Side:
        return "at_least" if self.change else "at_most"

    @property
    def _expected(self) -> Repeatable:
        name = "accuracy_change" if self.change else "nfr"
        rows, chances = self._clusters()
        totals = np.asarray(_CLUSTERS * chances @ rows)
        found = evidence(
            FlipTable(
                counts=totals,
                n_examples=round(_CLUSTERS * self.size),
                rows=rows,
                times=_CLUSTERS * chances,
            ),
            FLIP_STATISTICS[name],
        )
        assert isinstance(found, Repeatable), "there are many clusters"
        return found

    def _clusters(self) -> tuple[Rows, Values]:
        """Return the clusters that may occur, and the chance of each."""
        units = min(max(round(self.size), 1), _FINEST)
        at = np.arange(units + 1)
        broken, fixed = (grid.ravel() for grid in np.meshgrid(at, at, indexing="ij"))
        there = broken + fixed <= units
        cells = np.stack([units - broken - fixed, broken, fixed], axis=1)[there]
        rates = np.array([1 - self.broken - self.fixed, self.broken, self.fixed])
        chances = _chances(cells, rates, self.icc)
        likely = chances > _RAREST
        rows = np.zeros((int(likely.sum()), 5))
        rows[:, [KEPT, BROKEN, FIXED]] = cells[likely] * (self.size / units)
        return rows, chances[likely] / chances[likely].sum()


def _chances(cells: Values, rates: Values, icc: float) -> Values:
    """Return the Dirichlet-multinomial chance of each cluster, shape (n,)."""
    if icc >= 1:
        alone = cells.max(axis=1) == cells.sum(axis=1)
        return np.where(alone, rates[cells.argmax(axis=1)], 0.0)
    known = rates > 0
    possible = (cells[:, ~known] == 0).all(axis=1)
    cells, units = cells[:, known], cells.sum(axis=1)
    alphas = rates[known] * (1 - max(icc, _LEAST_ICC)) / max(icc, _LEAST_ICC)
    ways = special.gammaln(units + 1) - special.gammaln(cells + 1).sum(axis=1)
    log = special.gammaln(cells + alphas) - special.gammaln(alphas)
    total = float(alphas.sum())
    log = log.sum(axis=1) - special.gammaln(units + total) + special.gammaln(total)
    return np.where(possible, np.exp(ways + log), 0.0)
