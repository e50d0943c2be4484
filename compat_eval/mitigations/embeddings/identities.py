"""Identities of an index that holds two generations of vectors.

A photo service groups faces by centroids that it keeps: an item belongs to the nearest
one. Once NEW embeds what comes in, items of both generations go to the same centroids,
and a person falls apart where the two do not agree. Pairs of items that share a cluster
and an identity are right (pairwise F1, see `statistics.families.clustering`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from compat_eval.core.arrays import Array, Bools, Ints
from compat_eval.core.errors import UsageError
from compat_eval.core.estimate import Estimate
from compat_eval.core.rows import CodedRows
from compat_eval.core.statistic import Statistic
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.clustering import changed_memberships, pair_sums
from compat_eval.statistics.families.f1 import f1
from compat_eval.statistics.paired_rows import PairedRows
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.index import Metric
from compat_eval.vectors.vectors import Vectors

_F1 = Statistic(
    name="pairwise_f1",
    title="Pairwise F1",
    value=f1,
    better="higher",
    description="harmonic mean of precision and recall of pairs in one cluster",
    ends=(0.0, 1.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexGeneration:
    """What one state of an index makes of its identities.

    Attributes:
        name: `old`, `new`, or `mixed`.
        share: Of the items that have NEW's vectors.
        f1: Pairwise F1, from 0 to 1, with its interval: identities are resampled.
        change: Less that of OLD's index, paired.
        changed: Share of the items that are in another cluster than in OLD's index.

    """

    name: str
    share: float
    f1: Estimate
    change: Estimate
    changed: float

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {
            "name": self.name,
            "share": self.share,
            "f1": self.f1.to_dict(),
            "change": self.change.to_dict(),
            "changed": self.changed,
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "IndexGeneration":
        """Read back what `to_dict` wrote."""
        found = {n: Estimate.from_dict(fields[n]) for n in ("f1", "change")}
        return cls(**{**fields, **found})


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
    states = {
        "old": before,
        "new": after,
        "mixed": np.where(anew, after, before),
    }
    shares = {"old": 0.0, "new": 1.0, "mixed": float(np.mean(anew))}
    codes = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    rows = {name: pair_sums(one, labels) for name, one in states.items()}

    def estimates(name: str) -> tuple[Estimate, Estimate]:
        paired = PairedRows(
            old=CodedRows.plain(rows["old"]),
            new=CodedRows.plain(rows[name]),
            clusters=codes,
            seed=seed,
            key=("identities", name),
        )
        value, change = _F1.of_new(), _F1.change()
        found = [evidence(paired, one).estimate(confidence) for one in (value, change)]
        return found[0], found[1]

    told = {name: estimates(name) for name in states}
    return tuple(
        IndexGeneration(
            name=name,
            share=shares[name],
            f1=told[name][0],
            change=told[name][1],
            changed=changed_memberships(before, one),
        )
        for name, one in states.items()
    )


def _nearest(items: Vectors, centroids: Vectors, metric: Metric) -> Ints:
    """Return the centroid that is nearest to each item."""
    index = ExactIndex.of(centroids, metric)
    return index.search(items, 1, across=True).rows[:, 0]
