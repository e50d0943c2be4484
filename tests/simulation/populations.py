"""Made-up populations with known rates, from which samples are drawn."""

import numpy as np
from numpy.random import Generator

from compat_eval.core.arrays import Ints, Values
from compat_eval.core.quantity import BROKEN, FIXED, KEPT
from compat_eval.stats.distinct import distinct_rows
from compat_eval.stats.flip_table import FlipTable


def sizes(rng: Generator, n_clusters: int, mean: int, *, vary: bool) -> Ints:
    """Return sizes of clusters: all alike, or geometric (some much larger)."""
    if vary:
        return rng.geometric(1 / mean, n_clusters)
    return np.full(n_clusters, mean)


def cluster_rates(rng: Generator, n_clusters: int, rates: Values, icc: float) -> Values:
    """Return rates of each cluster around those of the population.

    Dirichlet with this intra-cluster correlation: at 0 all clusters are alike, at 1
    all units of a cluster have the same cell. Shape (n_clusters, n_cells).
    """
    if icc <= 0:
        return np.tile(rates, (n_clusters, 1))
    if icc >= 1:
        return rng.multinomial(1, rates, size=n_clusters).astype(np.float64)
    return rng.dirichlet(rates * (1 - icc) / icc, size=n_clusters)


def table(
    rng: Generator,
    *,
    n_clusters: int,
    size: int,
    broken: float,
    fixed: float = 0.0,
    icc: float,
    vary: bool,
) -> FlipTable:
    """Draw clusters and count their kept, broken and fixed units."""
    rates = np.array([1 - broken - fixed, broken, fixed])
    known = rates > 0
    each = np.zeros((n_clusters, 3))
    each[:, known] = cluster_rates(rng, n_clusters, rates[known], icc)
    cells = rng.multinomial(sizes(rng, n_clusters, size, vary=vary), each)
    rows = np.zeros((n_clusters, 5))
    rows[:, [KEPT, BROKEN, FIXED]] = cells
    distinct, times = distinct_rows(rows)
    return FlipTable(
        counts=rows.sum(axis=0), n_examples=n_clusters, rows=distinct, times=times
    )
