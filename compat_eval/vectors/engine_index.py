"""An index whose candidates another engine finds: FAISS, hnswlib, a database.

The engine says which vectors may be near; their scores are computed here, in double
precision, as for exact search. So every engine means the same by a score, breaks ties
by id, and leaves out the query's own vector. An exact engine is asked for more as long
as what it did not return could still belong to the k nearest; what an approximate one
misses stays missed.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.vectors.exact_search import Asked, ExactIndex, Singles
from compat_eval.vectors.index import NOTHING, Metric, Neighbours
from compat_eval.vectors.space import Space
from compat_eval.vectors.vectors import Vectors

_CARE = 4.0
"""An engine may round more often than one product of vectors does."""


class Engine(Protocol):
    """What finds candidates among the vectors of an index."""

    @property
    def name(self) -> str:
        """What it is called, with its kind."""

    @property
    def exact(self) -> bool:
        """Whether nothing is nearer than what it finds, but for rounding."""

    def nearest(self, queries: Singles, n: int) -> Ints:
        """Return the rows of the n nearest vectors of each query, shape (n_queries, n).

        Args:
            queries: By the index's metric; of length 1 where that is the cosine.
            n: At most as many as there are vectors.

        Returns:
            Rows of the index, none twice for a query; -1 where none was found.

        """


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineIndex:
    """Vectors that an engine searches; a `VectorIndex`.

    Attributes:
        scored: The same vectors; they score what the engine finds.
        engine: Finds candidates.

    """

    scored: ExactIndex
    engine: Engine

    @property
    def space(self) -> Space:
        """Which model its vectors are of."""
        return self.scored.space

    @property
    def metric(self) -> Metric:
        """How alike two vectors are."""
        return self.scored.metric

    @property
    def vectors(self) -> Vectors:
        """What is searched."""
        return self.scored.vectors

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of its vectors, and whether the engine may miss some."""
        if self.engine.exact:
            return self.scored.notes
        note = f"{self.engine.name} is approximate: it may miss some of the nearest"
        return (*self.scored.notes, note)

    def __len__(self) -> int:
        return len(self.scored)

    def search(
        self,
        queries: Vectors,
        k: int,
        *,
        without_itself: bool = False,
        across: bool = False,
    ) -> Neighbours:
        """Return the k nearest vectors of each query; see `VectorIndex`.

        Raises:
            UsageError: k is below 1.
            DataError: Queries are zero, not finite, or of another space.

        """
        asked = self.scored.asked(
            queries, k, without_itself=without_itself, across=across
        )
        n = min(k + 2, len(self))
        rows, scores = self._found(asked, n)
        while self.engine.exact and n < len(self):
            unsure = self._unsure(asked, rows, scores, k)
            if not unsure.any():
                break
            n = min(2 * n, len(self))
            rows, scores = self._found(asked, n)
        width = (0, max(0, k - n))
        rows = np.pad(rows[:, :k], ((0, 0), width), constant_values=NOTHING)
        scores = np.pad(scores[:, :k], ((0, 0), width), constant_values=-np.inf)
        shown = np.where(rows == NOTHING, np.nan, scores)
        return Neighbours(rows=rows, scores=shown, ids=self.vectors.ids)

    def _found(self, asked: Asked, n: int) -> tuple[Ints, Values]:
        """Return candidates and their scores, best first; own vectors are nothing."""
        if not n:
            nothing = np.empty((len(asked.values), 0), np.int64)
            return nothing, nothing.astype(np.float64)
        rows = self.engine.nearest(asked.values.astype(np.float32), n)
        rows = np.where(rows == asked.own[:, None], NOTHING, rows)
        at, place = np.nonzero(rows != NOTHING)
        scores = np.full(rows.shape, -np.inf)
        scores[at, place] = self.scored.scores(asked, at, rows[at, place])
        order = np.append(self.scored.order, len(self))[rows]
        first = np.lexsort((order, -scores), axis=1)
        return (
            np.take_along_axis(rows, first, axis=1),
            np.take_along_axis(scores, first, axis=1),
        )

    def _unsure(self, asked: Asked, rows: Ints, scores: Values, k: int) -> Bools:
        """Return of which queries a vector that was not returned may be among the k."""
        there = rows != NOTHING
        worst = np.where(there, scores, np.inf).min(axis=1)
        slack = self._score_rounding(asked, worst)
        kth = scores[:, k - 1] if k <= scores.shape[1] else np.full(len(rows), -np.inf)
        return np.asarray(~(worst + slack < kth))

    def _score_rounding(self, asked: Asked, scores: Values) -> Values:
        """Return how far the engine's scores may be off, shape (n_queries,)."""
        products = _CARE * asked.rounding
        if self.metric != "l2":
            return np.asarray(products)
        # Of a squared distance twice that; of its root less, the farther it is.
        far = np.maximum(-scores, np.sqrt(2 * products))
        return np.asarray(2 * products / far)


def recall(
    index: EngineIndex, queries: Vectors, k: int, *, across: bool = False
) -> float:
    """Return the share of the k nearest vectors that an index finds.

    Args:
        index: Any; the nearest are found among its own vectors.
        queries: What is searched for.
        k: How many.
        across: Whether queries may be of another model.

    """
    right = index.scored.search(queries, k, across=across).rows
    found = index.search(queries, k, across=across).rows
    shared = [
        np.isin(a[a != NOTHING], b).sum() for a, b in zip(right, found, strict=True)
    ]
    return float(np.sum(shared) / np.sum(right != NOTHING))
