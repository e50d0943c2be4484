"""Clusters of an index against identities: pairwise F1, and who changed cluster.

A pair of items is correct where they share a cluster and an identity. Each item counts
the pairs that it is in, so that sums over items count every pair twice, and rows are
those of F1 (`correct`, `predicted`, `gold`). Manning, Raghavan and Schütze,
"Introduction to Information Retrieval", Cambridge 2008, section 16.3.
"""

import numpy as np

from compat_eval.core.arrays import Array, Ints, Rows
from compat_eval.core.errors import UsageError


def pair_sums(assigned: Array, gold: Array) -> Rows:
    """Return how many pairs of each item are correct, predicted and gold.

    Args:
        assigned: Cluster of each item, shape (n,).
        gold: Its identity.

    Returns:
        Shape (n, 3): with how many others it shares both, the cluster, the identity.

    Examples:
        >>> from compat_eval.statistics.families.f1 import f1
        >>> sums = pair_sums(np.array([1, 1, 1, 2]), np.array(["a", "a", "b", "b"]))
        >>> sums.sum(axis=0).tolist(), float(f1(sums.sum(axis=0)))
        ([2.0, 6.0, 4.0], 0.4)

    """
    clusters, identities = _codes(assigned), _codes(gold)
    width = int(identities.max(initial=0)) + 1
    both = _codes(clusters * width + identities)
    return np.stack([_others(c) for c in (both, clusters, identities)], axis=1)


def changed_memberships(old: Array, new: Array) -> float:
    """Return the share of items that NEW puts into another cluster.

    Clusters keep their names where they stand for fixed centroids. Otherwise pair them
    first, with `renamed`.
    """
    if len(old) != len(new):
        raise UsageError(f"{len(old)} items before, and {len(new)} after")
    return float(np.mean(old != new)) if len(old) else float("nan")


def renamed(old: Array, new: Array) -> Ints:
    """Return NEW's clusters with numbers of OLD's, so that most items stay.

    OLD's clusters are numbered as `numpy.unique` sorts them. One cluster of NEW takes
    one number; what is left over gets numbers that OLD does not have.

    Examples:
        >>> renamed(np.array([0, 0, 1, 1]), np.array(["y", "y", "x", "y"])).tolist()
        [0, 0, 1, 0]

    """
    # Imported here: it takes longer than what most comparisons need.
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

    before, after = _codes(old), _codes(new)
    shared = np.zeros((after.max(initial=-1) + 1, before.max(initial=-1) + 1))
    np.add.at(shared, (after, before), 1)
    names = np.arange(len(shared)) + shared.shape[1]
    rows, columns = linear_sum_assignment(-shared)
    names[rows] = columns
    return np.asarray(names[after], np.int64)


def _codes(values: Array) -> Ints:
    return np.asarray(np.unique(values, return_inverse=True)[1], np.int64)


def _others(codes: Ints) -> Rows:
    return np.asarray(np.bincount(codes)[codes] - 1, np.float64)
