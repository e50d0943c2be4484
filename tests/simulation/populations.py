"""Made-up populations with known rates, from which samples are drawn."""

from typing import Literal, TypeAlias

import numpy as np
from numpy.random import Generator

from compat_eval.core.arrays import Ints, Values
from compat_eval.core.grades import BROKEN, FIXED, KEPT
from compat_eval.core.rows import distinct_rows
from compat_eval.statistics.flip_table import FlipTable

Kind: TypeAlias = Literal["equal", "sentences", "heavy"]


def sizes(rng: Generator, n_clusters: int, mean: int, kind: Kind) -> Ints:
    """Return sizes of clusters.

    All alike; as varied as sentences (negative binomial, half the mean as its standard
    deviation and more); or with a heavy tail (Pareto of 1.3: no variance).
    """
    if kind == "equal":
        return np.full(n_clusters, mean)
    if kind == "sentences":
        shape = 2.2
        return 1 + rng.negative_binomial(shape, shape / (shape + mean - 1), n_clusters)
    tail = np.ceil(0.3 * mean * (1 + rng.pareto(1.3, n_clusters)))
    return np.minimum(tail, 200 * mean).astype(np.int64)


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


def cells(
    rng: Generator,
    *,
    n_clusters: int,
    size: int,
    broken: float,
    fixed: float = 0.0,
    icc: float,
    kind: Kind,
    whole: float = 0.0,
) -> Ints:
    """Draw clusters; return their kept, broken and fixed units, shape (n_clusters, 3).

    Besides what breaks singly, a share `whole` of the clusters breaks as a whole.
    """
    rates = np.array([1 - broken - fixed, broken, fixed])
    known = rates > 0
    each = np.zeros((n_clusters, 3))
    each[:, known] = cluster_rates(rng, n_clusters, rates[known], icc)
    if whole > 0:
        each[rng.random(n_clusters) < whole] = (0.0, 1.0, 0.0)
    return rng.multinomial(sizes(rng, n_clusters, size, kind), each)


def table(
    rng: Generator,
    *,
    n_clusters: int,
    size: int,
    broken: float,
    fixed: float = 0.0,
    icc: float,
    kind: Kind,
) -> FlipTable:
    """Draw clusters and count their kept, broken and fixed units."""
    return table_of(
        cells(
            rng,
            n_clusters=n_clusters,
            size=size,
            broken=broken,
            fixed=fixed,
            icc=icc,
            kind=kind,
        )
    )


def table_of(drawn: Ints) -> FlipTable:
    """Return the table of clusters' kept, broken and fixed units."""
    rows = np.zeros((len(drawn), 5))
    rows[:, [KEPT, BROKEN, FIXED]] = drawn
    distinct, times = distinct_rows(rows)
    return FlipTable(
        counts=rows.sum(axis=0), n_examples=len(drawn), rows=distinct, times=times
    )
