"""Exact search: every query against every vector, a block at a time.

Products of blocks are made in single precision by BLAS and only choose candidates; what
could be among the k nearest, given how far rounding can be off, is scored anew in
double precision. So the result is that of double precision, and depends neither on
block sizes nor on threads. Memory is that of one block of products and of what is kept.

Rounding of an inner product of d numbers: Higham, "Accuracy and Stability of Numerical
Algorithms", 2nd edition, SIAM 2002, section 3.1.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from compat_eval.core.arrays import Ints, Rows, Values
from compat_eval.core.errors import UsageError
from compat_eval.vectors.index import NOTHING, Metric, Neighbours
from compat_eval.vectors.space import Space, refuse_other_space
from compat_eval.vectors.vectors import UNIT_TOLERANCE, Vectors, lengths

_SINGLE = float(np.finfo(np.float32).eps)
_QUERIES, _ROWS = 512, 4096
_DIGITS = 12
_MOST_SCORED = 2**22
"""Numbers of candidates that are scored anew at a time."""

Singles = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactIndex:
    """Vectors that are searched one and all; a `VectorIndex`.

    Attributes:
        vectors: What is searched.
        metric: How alike two vectors are.
        lengths: Euclidean length of each vector, shape (n,).
        order: Place of each vector's id among all ids, shape (n,).
        queries_at_once: Queries of a block.
        rows_at_once: Vectors of a block.

    """

    vectors: Vectors
    metric: Metric
    lengths: Values
    order: Ints
    queries_at_once: int = _QUERIES
    rows_at_once: int = _ROWS

    @classmethod
    def of(
        cls,
        vectors: Vectors,
        metric: Metric = "cosine",
        *,
        queries_at_once: int = _QUERIES,
        rows_at_once: int = _ROWS,
    ) -> "ExactIndex":
        """Return an index of vectors, once these are found fit to be compared.

        Raises:
            DataError: Vectors are zero, not finite, or not of the length that their
                space says.

        """
        places = np.empty(len(vectors), np.int64)
        places[pc.sort_indices(vectors.ids).to_numpy()] = np.arange(len(vectors))
        return cls(
            vectors=vectors,
            metric=metric,
            lengths=lengths(vectors),
            order=places,
            queries_at_once=queries_at_once,
            rows_at_once=rows_at_once,
        )

    @property
    def space(self) -> Space:
        """Which model its vectors are of."""
        return self.vectors.space

    @property
    def notes(self) -> tuple[str, ...]:
        """Vectors that are not of length 1, where the metric is the cosine."""
        off = int((np.abs(self.lengths - 1) > UNIT_TOLERANCE).sum())
        if self.metric != "cosine" or not off:
            return ()
        note = (
            f"{off} of {len(self)} vectors are not of length 1 (from "
            f"{self.lengths.min():.3g} to {self.lengths.max():.3g}): the cosine "
            "divides by it, and a store that ranks by dot products ranks otherwise"
        )
        return (note,)

    def __len__(self) -> int:
        return len(self.vectors)

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
        if k < 1:
            raise UsageError(f"k must be at least 1; got {k}")
        refuse_other_space(queries.space, self.space, across=across)
        asked = self.asked(queries, without_itself=without_itself)
        best = _Best(len(queries), min(k, len(self)))
        if 2 * k >= len(self):
            self._sort_all(asked, best)
            return _padded(best, k, self.vectors.ids)
        waiting: list[tuple[Ints, Ints]] = []
        enough = best.k * len(queries) // 4
        for start, block in self.vectors.blocks(self.rows_at_once):
            rows = self._prepared(block, start)
            for first in range(0, len(queries), self.queries_at_once):
                some = slice(first, first + self.queries_at_once)
                waiting.append(self._candidates(asked, best, some, rows, start))
                if sum(len(at) for at, _ in waiting) > enough:
                    self._settle(asked, best, waiting)
        self._settle(asked, best, waiting)
        return _padded(best, k, self.vectors.ids)

    def _sort_all(self, asked: "Asked", best: "_Best") -> None:
        """Score every vector in double precision: most of them are among the k."""
        scores = np.empty((len(asked.values), len(self)))
        for start, block in self.vectors.blocks(self.rows_at_once):
            rows, at = np.asarray(block, np.float64), slice(start, start + len(block))
            for found, query in zip(scores, asked.values, strict=True):
                found[at] = self._of_rows(rows, query, self.lengths[at])
        for line, (found, own) in enumerate(zip(scores, asked.own, strict=True)):
            nearest = np.lexsort((self.order, -found))
            nearest = nearest[nearest != own][: best.k]
            best.rows[line, : len(nearest)] = nearest
            best.scores[line, : len(nearest)] = found[nearest]

    def asked(self, queries: Vectors, *, without_itself: bool) -> "Asked":
        """Return queries as they are multiplied.

        Raises:
            DataError: They are zero, not finite, or not of the length that is said.

        """
        long = lengths(queries)
        values = np.asarray(queries.values, np.float64)
        if self.metric == "cosine":
            values, long = values / long[:, None], np.ones(len(long))
        single = values.astype(np.float32)
        if self.metric == "l2":
            single = np.column_stack([single, np.ones(len(single), np.float32)])
        own = np.full(len(queries), NOTHING)
        if without_itself:
            places = pc.index_in(queries.ids, value_set=self.vectors.ids)
            own = places.fill_null(NOTHING).to_numpy().astype(np.int64)
        farthest = 1.0 if self.metric == "cosine" else self.lengths.max(initial=0.0)
        size = long * farthest + (farthest**2 if self.metric == "l2" else 0.0)
        return Asked(
            values=values,
            single=single,
            own=own,
            rounding=(self.space.dimension + 8) * _SINGLE * size,
            squares=long**2 / 2,
        )

    def scaled(self, block: NDArray[np.floating], start: int) -> Singles:
        """Return rows in single precision, of length 1 where the metric is cosine.

        Args:
            block: Rows of the index.
            start: The first one's place.

        """
        rows: Singles = np.asarray(block, np.float32)
        if self.metric != "cosine":
            return rows
        some = self.lengths[start : start + len(rows)]
        return np.divide(rows, some[:, None], dtype=np.float32)

    def _prepared(self, block: NDArray[np.floating], start: int) -> Singles:
        """Return rows whose product with a query orders them as the metric does."""
        rows = self.scaled(block, start)
        if self.metric == "l2":
            some = self.lengths[start : start + len(rows)]
            return np.column_stack([rows, (-(some**2) / 2).astype(np.float32)])
        return rows

    def _candidates(
        self, asked: "Asked", best: "_Best", some: slice, rows: Singles, start: int
    ) -> tuple[Ints, Ints]:
        """Return pairs of queries and vectors that may be among the nearest."""
        products = asked.single[some] @ rows.T
        own = asked.own[some] - start
        inside = np.flatnonzero((own >= 0) & (own < len(rows)))
        products[inside, own[inside]] = -np.inf
        slack = asked.rounding[some]
        least = self._as_product(best.worst[some], asked.squares[some]) - slack
        chosen = products >= _below(least)[:, None]
        if np.count_nonzero(chosen) > 2 * best.k * len(products) < products.size:
            # So many that the block's own k-th best says more than what is kept.
            place = len(rows) - best.k
            inner = np.partition(products, place, axis=1)[:, place]
            least = np.maximum(least, inner - 2 * slack)
            chosen = products >= _below(least)[:, None]
        chosen[inside, own[inside]] = False
        flat = np.flatnonzero(chosen.reshape(-1))
        at, found = np.divmod(flat, len(rows))
        return at + (some.start or 0), found + start

    def _as_product(self, scores: Values, squares: Values) -> Values:
        """Return which product of a prepared row and a query gives a score."""
        if self.metric != "l2":
            return scores
        with np.errstate(invalid="ignore"):
            return squares - scores**2 / 2

    def _settle(
        self, asked: "Asked", best: "_Best", waiting: list[tuple[Ints, Ints]]
    ) -> None:
        """Score the candidates that wait, and keep the best of each query."""
        if not waiting:
            return
        at, found = (np.concatenate(part) for part in zip(*waiting, strict=True))
        waiting.clear()
        step = max(1, _MOST_SCORED // self.space.dimension)
        scores = np.empty(len(at))
        for first in range(0, len(at), step):
            piece = slice(first, first + step)
            scores[piece] = self.scores(asked, at[piece], found[piece])
        best.offer(at, found, scores, self.order)

    def scores(self, asked: "Asked", at: Ints, found: Ints) -> Values:
        """Return the scores of pairs in double precision, shape (n_pairs,)."""
        rows = np.asarray(self.vectors.values[found], np.float64)
        return self._of_rows(rows, asked.values[at], self.lengths[found])

    def _of_rows(self, rows: Rows, queries: Values, sizes: Values) -> Values:
        """Return the score of each row with its query, or with the one query."""
        pairs = "ij,j->i" if queries.ndim == 1 else "ij,ij->i"
        if self.metric == "l2":
            apart = rows - queries
            squares: Values = np.einsum("ij,ij->i", apart, apart)
            return -np.sqrt(squares)
        products: Values = np.einsum(pairs, rows, queries)
        if self.metric == "cosine":
            # Equal angles of different vectors differ in their last digits.
            products = np.round(products / sizes, _DIGITS)
        return products


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Queries as they are multiplied.

    Attributes:
        values: In double precision, shape (n_queries, dimension).
        single: In single precision, as the prepared rows are.
        own: Row of the vector with the query's id that is left out, or -1.
        rounding: How far a product in single precision may be off, shape (n_queries,).
        squares: Half of the squared length of each.

    """

    values: Values
    single: Singles
    own: Ints
    rounding: Values
    squares: Values


class _Best:
    """The k best of each query so far, by score and then by the order of ids."""

    def __init__(self, n_queries: int, k: int) -> None:
        self.k = k
        self.rows: Ints = np.full((n_queries, k), NOTHING)
        self.scores: Values = np.full((n_queries, k), -np.inf)

    @property
    def worst(self) -> Values:
        """Score of the k-th best of each query; -inf where there are fewer."""
        if not self.k:
            return np.full(len(self.scores), np.inf)
        return np.asarray(self.scores[:, -1])

    def offer(self, at: Ints, found: Ints, scores: Values, order: Ints) -> None:
        """Take in pairs of queries and rows, with their scores."""
        if not len(at):
            return
        sequence = np.argsort(at, kind="stable")
        at, found, scores = at[sequence], found[sequence], scores[sequence]
        touched, starts, counts = np.unique(at, return_index=True, return_counts=True)
        width = self.k + int(counts.max())
        rows = np.full((len(touched), width), NOTHING)
        values = np.full((len(touched), width), -np.inf)
        rows[:, : self.k], values[:, : self.k] = (
            self.rows[touched],
            self.scores[touched],
        )
        line = np.repeat(np.arange(len(touched)), counts)
        column = self.k + np.arange(len(at)) - np.repeat(starts, counts)
        rows[line, column], values[line, column] = found, scores
        places = np.where(rows == NOTHING, len(order), order[rows])
        first = np.lexsort((places, -values), axis=1)[:, : self.k]
        self.rows[touched] = np.take_along_axis(rows, first, axis=1)
        self.scores[touched] = np.take_along_axis(values, first, axis=1)


def _below(numbers: Values) -> Singles:
    """Return single-precision numbers that are not above the given ones."""
    return np.nextafter(numbers.astype(np.float32), np.float32(-np.inf))


def _padded(best: _Best, k: int, ids: pa.StringArray) -> Neighbours:
    more = ((0, 0), (0, k - best.k))
    rows = np.pad(best.rows, more, constant_values=NOTHING)
    scores = np.pad(best.scores, more)
    return Neighbours(
        rows=rows, scores=np.where(rows == NOTHING, np.nan, scores), ids=ids
    )
