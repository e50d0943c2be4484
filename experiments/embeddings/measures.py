"""Label-match retrieval of unit vectors: what each query finds, and what that comes to.

Every item of a split is a query and stands in the index; the item itself is no match
(it has the query's id). Values are arrays over queries, so that everything is paired.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from compat_eval.core.arrays import Array, Bools, Rows, Values
from compat_eval.statistics.families.clustering import pair_sums
from compat_eval.statistics.families.f1 import f1
from compat_eval.statistics.families.upgrades import (
    compatibility_tax,
    update_gain,
    upgrade_sums,
)


@dataclass(frozen=True, slots=True)
class Found:
    """What queries find: whether the first is right, and average precision."""

    top1: Values
    ap: Values

    def of(self, some: Bools) -> "Found":
        """Return that of some queries."""
        return Found(self.top1[some], self.ap[some])


def found(queries: Rows, index: Rows, labels: Array) -> Found:
    """Search each query in an index of the same items, without itself.

    Args:
        queries: Unit vectors, shape (n, d).
        index: Unit vectors of the same items, shape (n, d).
        labels: Of the items, shape (n,).

    """
    codes = np.unique(labels, return_inverse=True)[1]
    members = [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]
    scores = (queries.astype(np.float32) @ index.astype(np.float32).T).astype(
        np.float32
    )
    np.fill_diagonal(scores, -np.inf)
    ordered = np.sort(scores, axis=1)
    top1, ap = np.zeros(len(codes)), np.zeros(len(codes))
    for at, code in enumerate(codes):
        relevant = members[code][members[code] != at]
        n_below = np.searchsorted(ordered[at], np.sort(scores[at, relevant]), "right")
        ranks = len(codes) - n_below[::-1] + 1  # of the nearest relevant one first
        counted = np.arange(1, len(ranks) + 1)
        ranks = np.maximum(ranks, counted)  # equal scores stand one after the other
        top1[at], ap[at] = ranks[0] == 1, np.mean(counted / ranks)
    return Found(top1, ap)


def compared(
    old_old: Found, new_old: Found, new_new: Found, paragon: Found
) -> dict[str, Any]:
    """Return the numbers of an upgrade, in points (percent), JSON-ready.

    Intervals are of 95 %, by the normal approximation of paired differences.
    """
    told: dict[str, Any] = {"n": len(old_old.top1)}
    for name in ("top1", "ap"):
        o, n, s, p = (getattr(x, name) for x in (old_old, new_old, new_new, paragon))
        sums = np.concatenate(
            [
                half.sum(axis=0)
                for half in upgrade_sums(old_old=o, new_old=n, new_new=s, paragon=p)
            ]
        )
        told[name] = {
            "old/old": _points(o.mean()),
            "new/old": _points(n.mean()),
            "new/new": _points(s.mean()),
            "paragon": _points(p.mean()),
            **change(o, n),
            "gain": _number(update_gain(sums)),
            "tax": _points(compatibility_tax(sums)),
        }
    told["nfr"] = _points(np.mean((old_old.top1 == 1) & (new_old.top1 == 0)))
    told["pfr"] = _points(np.mean((old_old.top1 == 0) & (new_old.top1 == 1)))
    return told


def change(old: Values, new: Values) -> dict[str, float]:
    """Return a paired difference of means in points, its interval and z."""
    apart = new - old
    error = float(apart.std(ddof=1)) / np.sqrt(len(apart)) or np.nan
    mean = float(apart.mean())
    return {
        "change": _points(mean),
        "low": _points(mean - 1.96 * error),
        "high": _points(mean + 1.96 * error),
        "z": _number(mean / error),
    }


def cluster_f1(vectors: Rows, centroids: Rows, labels: Array) -> float:
    """Return the pairwise F1 of items that go to their nearest centroid, in points.

    Args:
        vectors: Unit vectors of the items, shape (n, d).
        centroids: Unit vectors, shape (n_clusters, d).
        labels: The items' identities.

    """
    assigned = (vectors @ centroids.T).argmax(axis=1)
    return _points(f1(pair_sums(assigned, labels).sum(axis=0)))


def centroids_of(vectors: Rows, labels: Array) -> Rows:
    """Return the unit mean of each label's vectors, shape (n_labels, d)."""
    codes = np.unique(labels, return_inverse=True)[1]
    sums = np.zeros((codes.max() + 1, vectors.shape[1]))
    np.add.at(sums, codes, vectors)
    unit: Rows = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return unit


def mean_of(rows: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the mean of JSON rows of the same shape, number by number."""
    first, merged = rows[0], {}
    for key, value in first.items():
        if isinstance(value, Mapping):
            merged[key] = mean_of([row[key] for row in rows])
        elif isinstance(value, (int, float)):
            known = [row[key] for row in rows if row[key] is not None]
            merged[key] = round(float(np.mean(known)), 3) if known else None
    return merged


def _points(value: Any) -> float:  # noqa: ANN401 - numpy's and Python's numbers
    return round(100 * float(value), 3)


def _number(value: Any) -> float | None:  # noqa: ANN401
    return round(float(value), 4) if np.isfinite(value) else None
