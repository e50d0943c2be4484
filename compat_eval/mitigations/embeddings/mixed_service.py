"""An index while it is embedded anew, judged as it is served.

OLD's part is searched with vectors in OLD's space, NEW's part with vectors in NEW's,
and the two lists become one by score. Where both queries are one vector, because NEW is
compatible or OLD's vectors were mapped into its space, that is a search of the mixed
index. Where they are not, scores of the two spaces are not comparable: one part crowds
out the other, however good its documents are. They can be brought to one scale first,
or the lists merged by rank (Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion
outperforms Condorcet and individual Rank Learning Methods", SIGIR 2009,
https://doi.org/10.1145/1571941.1572114, here of lists that share no document).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.core.errors import UsageError
from compat_eval.mitigations.embeddings.backfill import first_of
from compat_eval.statistics.backfill_curve import BackfillCurve
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.index import NOTHING, Metric, Neighbours
from compat_eval.vectors.vectors import Vectors

Merging: TypeAlias = Literal["score", "rank"]

SHARES = np.linspace(0.0, 1.0, 11)
"""How much of an index is NEW's where a backfill is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedService:
    """How queries are answered while an index holds two generations of vectors.

    Attributes:
        old: The index as it is: OLD's vectors, mapped where they are.
        old_queries: Vectors that are searched in it, of the space of `old` or meant
            to be compatible with it.
        new: NEW's vectors of the same documents, in the same rows.
        new_queries: Vectors of the same queries that are searched in `new`.
        k: How many documents are served.
        metric: How alike two vectors are.
        merging: By score or by rank.
        rescale: Brings scores in OLD's part to the scale of NEW's; `None` leaves them.
        without_itself: Whether a query's own document is left out.

    """

    old: Vectors
    old_queries: Vectors
    new: Vectors
    new_queries: Vectors
    k: int
    metric: Metric = "cosine"
    merging: Merging = "score"
    rescale: Callable[[Values], Values] | None = None
    without_itself: bool = False

    def __post_init__(self) -> None:
        if not self.old.ids.equals(self.new.ids):
            raise UsageError("the two generations of an index hold different items")
        if not self.old_queries.ids.equals(self.new_queries.ids):
            raise UsageError("the two parts of an index are asked different queries")

    def found(self, anew: Bools) -> "Found":
        """Return what is served where some rows of the index are NEW's.

        Args:
            anew: Of each row, whether it is embedded anew, shape (n,).

        """
        old = self._part(self.old, self.old_queries, ~anew)
        new = self._part(self.new, self.new_queries, anew)
        if self.rescale is not None:
            old.scores[:] = self.rescale(old.scores)
        rows = np.concatenate([old.rows, new.rows], axis=1)
        scores = np.concatenate([self._merged(old), self._merged(new)], axis=1)
        there = rows != NOTHING
        places = np.where(there, self._places()[rows], len(self.old))
        best = np.lexsort((places, np.where(there, -scores, np.inf)), axis=1)
        best = best[:, : self.k]
        served = np.take_along_axis(rows, best, axis=1)
        held = (best >= old.rows.shape[1]) & (served != NOTHING)
        found = np.take_along_axis(scores, best, axis=1)
        return Found(
            neighbours=Neighbours(
                rows=served,
                scores=np.where(served == NOTHING, np.nan, found),
                ids=self.old.ids,
            ),
            new=int(held.sum()),
        )

    def _part(self, index: Vectors, queries: Vectors, kept: Bools) -> Neighbours:
        """Search some rows of an index; rows are those of the whole."""
        at = np.flatnonzero(kept)
        if not len(at):
            return Neighbours(
                rows=np.full((len(queries), 0), NOTHING),
                scores=np.zeros((len(queries), 0)),
                ids=index.ids,
            )
        part = Vectors(
            ids=index.ids.take(pa.array(at)),
            values=index.values[at],
            space=index.space,
        )
        found = ExactIndex.of(part, self.metric).search(
            queries, self.k, without_itself=self.without_itself, across=True
        )
        there = found.rows != NOTHING
        rows = np.where(there, at[np.where(there, found.rows, 0)], NOTHING)
        return Neighbours(rows=rows, scores=found.scores.copy(), ids=index.ids)

    def _merged(self, part: Neighbours) -> Values:
        """Return what a part's documents are ranked by."""
        if self.merging == "score":
            return part.scores
        ranks = -np.arange(part.rows.shape[1], dtype=np.float64)
        return np.broadcast_to(ranks, part.rows.shape)

    def _places(self) -> Ints:
        """Return the place of each row's id among all, which settles ties."""
        order = np.argsort(self.old.ids.to_numpy(zero_copy_only=False), kind="stable")
        places = np.empty(len(order), np.int64)
        places[order] = np.arange(len(order))
        return places


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a mixed index serves.

    Attributes:
        neighbours: Documents of each query, the best first, by rows of the index.
        new: How many of all of them have NEW's vectors.

    """

    neighbours: Neighbours
    new: int

    @property
    def rankings(self) -> list[list[str]]:
        """Names of documents of each query, the best first."""
        return self.neighbours.names()


@dataclass(frozen=True, slots=True, kw_only=True)
class _PlannedBackfill:
    """What one order of a backfill would give, share by share.

    Attributes:
        curve: The measure of each query at each share.
        crowding: By share, the share of what is served that has NEW's vectors, less
            the share of the index that has; far from 0 where scores of the two spaces
            do not mean the same, or where the order takes first what is asked for.

    """

    curve: BackfillCurve
    crowding: Values


def plan_backfills(
    service: MixedService,
    orders: Mapping[str, Ints],
    measure: Callable[[Sequence[Sequence[str]]], Values],
    *,
    shares: Values = SHARES,
) -> dict[str, _PlannedBackfill]:
    """Return what each order of a backfill would give.

    Args:
        service: How queries are answered.
        orders: Rows of the index, the first to be embedded anew first, by name.
        measure: Returns a value in [0, 1] of each query from the names of documents
            that it is served, the best first.
        shares: Rising from 0 to 1.

    """
    ends: dict[float, tuple[Values, float]] = {}

    def at(order: Ints, share: float) -> tuple[Values, float]:
        if share in ends:  # the same whatever the order
            return ends[share]
        anew = first_of(order, share, len(service.old))
        found = service.found(anew)
        rankings = found.rankings
        served = max(1, sum(map(len, rankings)))
        point = measure(rankings), found.new / served - float(anew.mean())
        if share in (0, 1):
            ends[share] = point
        return point

    plans = {}
    for name, order in orders.items():
        points = [at(order, float(share)) for share in shares]
        curve = BackfillCurve(shares=shares, queries=np.stack([v for v, _ in points]))
        crowding = np.array([crowded for _, crowded in points])
        plans[name] = _PlannedBackfill(curve=curve, crowding=crowding)
    return plans
