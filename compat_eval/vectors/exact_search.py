"""Exact search: every query against every vector, a block at a time.

Products of blocks are made in single precision by BLAS and only choose candidates; what
could be among the k nearest, given how far rounding can be off, is scored anew in
double precision. So the result is that of double precision, and depends neither on
block sizes nor on threads. Memory is that of one block of products and of what is kept.

Rounding of an inner product of d numbers: Higham, "Accuracy and Stability of Numerical
Algorithms", 2nd edition, SIAM 2002, section 3.1.
"""

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from compat_eval.core.arrays import Bools, Ints, Rows, Values
from compat_eval.core.errors import UsageError
from compat_eval.vectors.index import NOTHING, Metric, Neighbours
from compat_eval.vectors.space import Space, refuse_other_space
from compat_eval.vectors.vectors import UNIT_TOLERANCE, Vectors, lengths

_SINGLE = float(np.finfo(np.float32).eps)
_QUERIES, _ROWS = 512, 4096
_DIGITS = 12
_MOST_SCORED = 2**17
"""Numbers of candidates that are scored anew at a time."""

_TILES = 2
"""While one is looked through the next is multiplied."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_KEEP_PAGES = 32
"""Pieces of candidates for which pages of a mapped file are kept."""

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
        asked = self.asked(queries, k, without_itself=without_itself, across=across)
        best = _Best(len(queries), min(k, len(self)))
        if 2 * k >= len(self):
            self._sort_all(asked, best)
            return _padded(best, k, self.vectors.ids)
        pool = _Pool(best.k, 2 * asked.rounding)
        step = max(1, min(len(queries), self.queries_at_once))
        tiles = cycle([_Tile(step, self.rows_at_once) for _ in range(_TILES)])
        with _Behind() as behind:
            for start, block in self.vectors.blocks(self.rows_at_once):
                rows = self._prepared(block, start)
                for first in range(0, len(queries), step):
                    some, tile = slice(first, first + step), next(tiles)
                    behind.wait()
                    tile.multiply(asked.single[some], rows)
                    behind.do(
                        partial(self._offer, asked, pool, best, some, tile, start=start)
                    )
        self._settle(asked, best, pool)
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

    def asked(
        self, queries: Vectors, k: int, *, without_itself: bool, across: bool
    ) -> "Asked":
        """Return queries as they are multiplied, once they may be searched for.

        Raises:
            UsageError: k is below 1.
            DataError: They are zero, not finite, not of the length that is said, or of
                another space.

        """
        if k < 1:
            raise UsageError(f"k must be at least 1; got {k}")
        refuse_other_space(queries.space, self.space, across=across)
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

    def _offer(
        self,
        asked: "Asked",
        pool: "_Pool",
        best: "_Best",
        some: slice,
        tile: "_Tile",
        *,
        start: int,
    ) -> None:
        """Put into the pool what may be among the nearest of some queries."""
        products, width = tile.products, tile.products.shape[1]
        own = asked.own[some] - start
        inside = np.flatnonzero((own >= 0) & (own < width))
        products[inside, own[inside]] = -np.inf
        least = pool.least[some]
        if tile.choose(_below(least)) > 2 * pool.k * len(products) < products.size:
            # So many that the block's own k-th best says more than what is known.
            place = width - pool.k
            inner = np.partition(products, place, axis=1)[:, place]
            least = np.maximum(least, inner - pool.slack[some])
            tile.choose(_below(least))
        flat = tile.places()
        at, found = np.divmod(flat, width)
        pool.put(at + some.start, found + start, products.reshape(-1)[flat])
        if pool.full:
            pool.shrink()
        if pool.full:
            self._settle(asked, best, pool)

    def _as_product(self, scores: Values, squares: Values) -> Values:
        """Return which product of a prepared row and a query gives a score."""
        if self.metric != "l2":
            return scores
        with np.errstate(invalid="ignore"):
            return squares - scores**2 / 2

    def _settle(self, asked: "Asked", best: "_Best", pool: "_Pool") -> None:
        """Score what the pool holds, and keep the best of each query."""
        at, found = pool.taken()
        order = np.argsort(found)  # pages of a file are read once, one after the other
        at, found = at[order], found[order]
        step = max(1, _MOST_SCORED // self.space.dimension)
        scores = np.empty(len(at))
        for number, first in enumerate(range(0, len(at), step)):
            piece = slice(first, first + step)
            scores[piece] = self.scores(asked, at[piece], found[piece])
            if number % _KEEP_PAGES == 0:
                self.vectors.forget()
        self.vectors.forget()
        best.offer(at, found, scores, self.order)
        worst = self._as_product(best.worst, asked.squares) - asked.rounding
        pool.least = np.maximum(pool.least, worst)

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


class _Behind:
    """Work that is done behind the products, one piece after the other.

    In a thread of its own, since it leaves idle what BLAS does not need; where BLAS is
    limited to one thread nothing runs beside it.
    """

    def __init__(self) -> None:
        alone = any(os.environ.get(name) == "1" for name in _THREADS)
        self._worker = None if alone else ThreadPoolExecutor(1)
        self._pieces: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for all of it."""
        if self._worker is not None:
            self._worker.shutdown(cancel_futures=kind is not None)
        while self._pieces and kind is None:
            self._pieces.popleft().result()

    def wait(self) -> None:
        """Wait until a tile is free."""
        while len(self._pieces) >= _TILES:
            self._pieces.popleft().result()

    def do(self, work: Callable[[], None]) -> None:
        """Do a piece of work, after those before it."""
        if self._worker is None:
            work()
        else:
            self._pieces.append(self._worker.submit(work))


class _Tile:
    """Products of some queries and some vectors, in memory that is used again.

    Attributes:
        products: Shape (n_queries, n_rows).

    """

    def __init__(self, n_queries: int, n_rows: int) -> None:
        self._memory: Singles = np.empty(n_queries * n_rows, np.float32)
        self._chosen: Bools = np.empty(n_queries * n_rows, np.bool_)
        self.products: Singles = self._memory[:0].reshape(0, 1)

    def multiply(self, queries: Singles, rows: Singles) -> None:
        """Compute all products."""
        shape = len(queries), len(rows)
        self.products = self._memory[: shape[0] * shape[1]].reshape(shape)
        np.matmul(queries, rows.T, out=self.products)

    def choose(self, least: Singles) -> int:
        """Choose the products that are not below a query's least; return how many."""
        chosen = self._chosen[: self.products.size].reshape(self.products.shape)
        np.greater_equal(self.products, least[:, None], out=chosen)
        return int(np.count_nonzero(chosen))

    def places(self) -> Ints:
        """Return the flat places of what was chosen.

        That is little, so eight are looked at together.
        """
        flat = self._chosen[: self.products.size]
        whole = len(flat) // 8 * 8
        words = np.flatnonzero(flat[:whole].view(np.uint64) != 0)
        line, column = np.nonzero(flat[:whole].reshape(-1, 8)[words])
        rest = whole + np.flatnonzero(flat[whole:])
        return np.concatenate([words[line] * 8 + column, rest])


class _Pool:
    """Vectors that may be among the k nearest, by products in single precision.

    A vector whose product is below the k-th largest by more than both may be off is not
    among them. Numbers of queries stay small, and are sorted by counting.

    Attributes:
        k: How many are nearest.
        slack: How far two products of a query may be off together, shape (n_queries,).
        least: Products below it are of no use, shape (n_queries,).

    """

    def __init__(self, k: int, slack: Values) -> None:
        self.k = k
        self.slack = slack
        self.least: Values = np.full(len(slack), -np.inf)
        self._limit = 2 * k * len(slack)
        self._parts: list[tuple[Ints, Ints, Singles]] = []
        self._count = 0

    @property
    def full(self) -> bool:
        """Whether it holds twice what is asked for."""
        return self._count > self._limit

    def put(self, at: Ints, found: Ints, products: Singles) -> None:
        """Take in pairs of queries and rows, with their products."""
        self._parts.append((at, found, products))
        self._count += len(at)

    def shrink(self) -> None:
        """Let go of what is no longer among the nearest."""
        at, found, products = self._joined()
        kth = self._kth(at, products)
        self.least = np.maximum(self.least, kth - self.slack)
        kept = products >= _below(self.least)[at]
        self._parts = [(at[kept], found[kept], products[kept])]
        self._count = int(kept.sum())

    def taken(self) -> tuple[Ints, Ints]:
        """Return what is left, and forget it."""
        if self._parts:
            self.shrink()
        at, found, _ = self._joined()
        self._parts, self._count = [], 0
        return at, found

    def _joined(self) -> tuple[Ints, Ints, Singles]:
        if not self._parts:
            nothing = np.empty(0, np.int64)
            return nothing, nothing, np.empty(0, np.float32)
        at, found, products = zip(*self._parts, strict=True)
        return np.concatenate(at), np.concatenate(found), np.concatenate(products)

    def _kth(self, at: Ints, products: Singles) -> Values:
        """Return the k-th largest product of each query; -inf where there are fewer."""
        n = len(self.slack)
        kth = np.full(n, -np.inf)
        if not self.k or not len(at):
            return kth
        small = at.astype(np.uint16) if n <= np.iinfo(np.uint16).max else at
        sequence = np.argsort(small, kind="stable")
        counts = np.bincount(at, minlength=n)
        width = int(counts.max())
        if width < self.k:
            return kth
        starts = np.cumsum(counts) - counts
        line = at[sequence]
        table = np.full((n, width), -np.inf, np.float32)
        table[line, np.arange(len(at)) - starts[line]] = products[sequence]
        place = width - self.k
        return np.partition(table, place, axis=1)[:, place].astype(np.float64)


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
