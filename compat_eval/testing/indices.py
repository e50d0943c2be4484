"""Checks that an index of vectors keeps its contract: `VectorIndex`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Ints, Rows, Values
from compat_eval.core.errors import DataError
from compat_eval.testing.expect import expect
from compat_eval.vectors.index import NOTHING, Metric, Neighbours, VectorIndex
from compat_eval.vectors.vectors import Vectors

MakesIndex: TypeAlias = Callable[[Vectors, Metric], VectorIndex]

_N, _WIDTH, _K = 60, 8, 10
_PRECISION = 1e-4


def check_index(make: MakesIndex, metric: Metric, *, recall: float = 1.0) -> None:
    """Check an index of some dozens of vectors that the kit hands in.

    Args:
        make: Returns an index that holds some vectors.
        metric: By which it searches.
        recall: Least share of the nearest vectors that are found; below 1 for an
            approximate index, whose ties have no order.

    Raises:
        AssertionError: A promise of `VectorIndex` is not kept.

    """
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(_N, _WIDTH)) + 0.5
    rows[1] = rows[0]
    ids = [f"d{place:02}" for place in rng.permutation(_N)]
    gallery = _vectors(ids, rows)
    index = make(gallery, metric)
    expect(len(index) == _N, f"expected {_N} vectors; got {len(index)}")
    expect(index.space == gallery.space, "the space of an index is that of its vectors")
    expect(index.metric == metric, f"expected the metric {metric}; got {index.metric}")
    told = metric != "cosine" or "not of length 1" in " ".join(index.notes)
    expect(told, "the cosine of vectors that are not of length 1 must be noted")
    _check_neighbours(index, gallery, recall)
    _check_itself(index, gallery, exact=recall == 1)
    _check_more_than_there_are(index, gallery, exact=recall == 1)
    _check_nothing(make, metric)
    _check_refusals(make, index, metric, rows)


def _check_neighbours(index: VectorIndex, gallery: Vectors, recall: float) -> None:
    asked = gallery.values[:20] + 0.01
    found = index.search(_vectors([f"q{n}" for n in range(20)], asked), _K)
    exact = _scores(index.metric, asked, gallery.values)
    places = np.argsort(gallery.ids.to_numpy(zero_copy_only=False))
    order = np.empty(_N, np.int64)
    order[places] = np.arange(_N)
    nearest = np.stack([np.lexsort((order, -line))[:_K] for line in exact])
    rows = _places(found, gallery)
    if recall == 1:
        expect(
            np.array_equal(rows, nearest),
            "expected the nearest vectors, the nearest first and equal ones by id",
        )
    shared = [len(np.intersect1d(*pair)) for pair in zip(rows, nearest, strict=True)]
    share = sum(shared) / nearest.size
    expect(share >= recall, f"found {share:.2f} of the nearest vectors, not {recall}")
    expect((np.diff(found.scores) <= _PRECISION).all(), "scores must fall")
    off = np.abs(found.scores - np.take_along_axis(exact, rows, axis=1)).max()
    expect(off < _PRECISION, f"scores are off by up to {off:.2g} by the metric")


def _places(found: Neighbours, gallery: Vectors) -> Ints:
    """Return where neighbours stand in what was handed in; an index may sort."""
    ids = found.ids.take(pa.array(found.rows.ravel()))
    places = pc.index_in(ids.cast(pa.string()), value_set=gallery.ids)
    return np.asarray(places.to_numpy(), np.int64).reshape(found.rows.shape)


def _check_itself(index: VectorIndex, gallery: Vectors, *, exact: bool) -> None:
    twins = _vectors(gallery.ids.to_pylist()[:2], gallery.values[:2])
    own, other = twins.ids.to_pylist()
    found = index.search(twins, 5, without_itself=True).names()
    expect(
        own not in found[0] and other not in found[1],
        "without_itself must leave out the vector with the query's own id",
    )
    if exact and index.metric != "dot":
        expect(
            (found[0][0], found[1][0]) == (other, own),
            "without_itself must leave out nothing else, such as an equal vector",
        )


def _check_more_than_there_are(
    index: VectorIndex, gallery: Vectors, *, exact: bool
) -> None:
    one = _vectors(["q"], gallery.values[:1])
    found = index.search(one, _N + 3)
    expect(found.rows.shape == (1, _N + 3), "rows must have shape (n_queries, k)")
    absent = found.rows == NOTHING
    expect(
        absent[:, _N:].all() and (not exact or absent.sum() == 3),  # noqa: PLR2004
        "where there are fewer vectors than k, rows end in -1",
    )
    expect(np.isnan(found.scores[absent]).all(), "what is not there has the score nan")


def _check_nothing(make: MakesIndex, metric: Metric) -> None:
    """An index of nothing is refused, or finds nothing."""
    try:
        empty = make(_vectors([], np.empty((0, _WIDTH))), metric)
    except DataError:
        return
    found = empty.search(_vectors(["q"], np.ones((1, _WIDTH))), 2)
    expect((found.rows == NOTHING).all(), "an index of nothing must find nothing")


def _check_refusals(
    make: MakesIndex, index: VectorIndex, metric: Metric, rows: Rows
) -> None:
    stranger = _vectors(["q"], rows[:1], model="another")
    with _refused("queries of another model, unless across is said"):
        index.search(stranger, 1)
    index.search(stranger, 1, across=True)
    with _refused("queries of another dimension"):
        index.search(_vectors(["q"], rows[:1, :3], model="another"), 1, across=True)
    with _refused("two vectors of one id"):
        make(_vectors(["a", "a"], rows[:2]), metric)
    for bad in (0.0, np.nan):
        with _refused(f"vectors that are all {bad}"):
            make(_vectors(["a"], rows[:1] * bad), metric)
        with _refused(f"queries that are all {bad}"):
            index.search(_vectors(["q"], rows[:1] * bad), 1)


@contextmanager
def _refused(what: str) -> Iterator[None]:
    try:
        yield
    except DataError:
        return
    raise AssertionError(f"an index must refuse {what}, with a DataError")


def _vectors(ids: list[str], rows: Rows, model: str = "of the kit") -> Vectors:
    return Vectors.of(ids, rows, model=model, normalised=False)


def _scores(metric: Metric, queries: Rows, rows: Rows) -> Values:
    """Return all scores, shape (n_queries, n_rows); equal ones of equal rows."""
    if metric == "l2":
        return np.asarray(-np.linalg.norm(queries[:, None] - rows, axis=2))
    dots: Values = (queries[:, None] * rows).sum(axis=2)
    if metric == "dot":
        return dots
    sizes = np.linalg.norm(queries, axis=1)[:, None] * np.linalg.norm(rows, axis=1)
    return np.asarray(np.round(dots / sizes, 12))
