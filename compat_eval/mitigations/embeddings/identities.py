"""Identities of an index that holds two generations of vectors.

A photo service groups faces by centroids that it keeps: an item belongs to the nearest
one. Once NEW embeds what comes in, items of both generations go to the same centroids,
and a person falls apart where the two do not agree. Pairs of items that share a cluster
and an identity are right (pairwise F1, see `statistics.families.clustering`).
"""

import numpy as np

from compat_eval.comparison.index_decision.generation import IndexGeneration
from compat_eval.comparison.index_decision.identities import index_generations
from compat_eval.core.arrays import Array, Bools, Ints
from compat_eval.core.errors import UsageError
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.index import Metric
from compat_eval.vectors.vectors import Vectors


def centroids_of(vectors: Vectors, labels: Array) -> Vectors:
    """Return the mean vector of each identity, called by it.

    Args:
        vectors: Of length 1 where angles are compared.
        labels: Identity of each, shape (n,).

    """
    names, codes = np.unique(labels, return_inverse=True)
    sums = np.zeros((len(names), vectors.space.dimension))
    np.add.at(sums, codes, np.asarray(vectors.values, np.float64))
    means = sums / np.bincount(codes)[:, None]
    return Vectors.of(
        [str(one) for one in names], means, model=vectors.space.model, normalised=False
    )


def identities(
    centroids: Vectors,
    old: Vectors,
    new: Vectors,
    labels: Array,
    *,
    anew: Bools,
    metric: Metric = "cosine",
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[IndexGeneration, ...]:
    """Return what OLD's index, NEW's and a mixed one make of the identities.

    Args:
        centroids: In OLD's space, of items that are not judged.
        old: OLD's vectors of the items.
        new: Vectors of the same items that go to OLD's centroids: NEW's as they are,
            or mapped into OLD's space.
        labels: Identity of each item, shape (n,).
        anew: Which items of the mixed index have `new`'s vectors, shape (n,).
        metric: How alike two vectors are.
        confidence: Of the intervals.
        seed: Random seed of resampling.

    Raises:
        UsageError: Numbers of items differ.
        DataError: Vectors cannot be compared.

    """
    if not old.ids.equals(new.ids) or not len(old) == len(labels) == len(anew):
        raise UsageError("two generations of an index hold the same items")
    before, after = (_nearest(one, centroids, metric) for one in (old, new))
    states = {"old": before, "new": after, "mixed": np.where(anew, after, before)}
    return index_generations(states, labels, confidence=confidence, seed=seed)


def _nearest(items: Vectors, centroids: Vectors, metric: Metric) -> Ints:
    """Return the centroid that is nearest to each item."""
    index = ExactIndex.of(centroids, metric)
    return index.search(items, 1, across=True).rows[:, 0]
