"""Exact search agrees with sorting all scores in double precision."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat_eval.core.arrays import Array, Values
from compat_eval.core.errors import DataError, UsageError
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.index import Metric, VectorIndex
from compat_eval.vectors.vectors import Vectors

METRICS: tuple[Metric, ...] = ("cosine", "dot", "l2")


def vectors(names: list[str], rows: Array, *, model: str = "m") -> Vectors:
    return Vectors.of(names, rows, model=model, normalised=False)


def by_sorting(
    queries: Vectors, gallery: Vectors, k: int, metric: Metric, *, own: bool
) -> list[list[str]]:
    """Return what all pairs of plain Python numbers say."""
    found = []
    for name, q in zip(queries.ids.to_pylist(), queries.values, strict=True):
        scored = []
        for other, g in zip(gallery.ids.to_pylist(), gallery.values, strict=True):
            dot = sum(float(a) * float(b) for a, b in zip(q, g, strict=True))
            apart = float(np.linalg.norm(q - g))
            size = float(np.linalg.norm(q) * np.linalg.norm(g))
            score = {"dot": dot, "l2": -apart, "cosine": dot / size}[metric]
            if own or other != name:
                scored.append((-round(score, 9), other))
        found.append([other for _, other in sorted(scored)[:k]])
    return found


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from(METRICS),
    st.sampled_from([1, 3, 7, 20, 40]),
    st.booleans(),
    st.sampled_from([1, 3, 64]),
)
def test_as_sorting_all_scores(
    seed: int,
    metric: Metric,
    k: int,
    own: bool,  # noqa: FBT001
    block: int,
) -> None:
    """Small whole numbers make many ties, which ids must decide."""
    rng = np.random.default_rng(seed)
    names = [f"d{n}" for n in rng.permutation(30)]
    rows = rng.integers(-2, 3, size=(30, 4)).astype(float)
    rows[:, 0] += 5.0
    gallery, queries = vectors(names, rows), vectors(names[:5], rows[:5])
    index = ExactIndex.of(gallery, metric, queries_at_once=2, rows_at_once=block)

    found = index.search(queries, k, without_itself=not own)

    assert found.names() == by_sorting(queries, gallery, k, metric, own=own)


@pytest.mark.parametrize("block", [37, 200])
@pytest.mark.parametrize("metric", METRICS)
def test_scores_of_single_precision_vectors_are_those_of_double(
    metric: Metric, block: int
) -> None:
    """The nearest of all come last, so that every block has better ones."""
    rng = np.random.default_rng(3)
    queries = vectors(["q1", "q2"], rng.normal(size=(2, 48)) + 3)
    rows = rng.normal(size=(500, 48)).astype(np.float32) + np.float32(3)
    rows = rows[np.argsort(rows @ queries.values[0])]
    gallery = vectors([f"{n:03}" for n in range(500)], rows)
    g, q = rows.astype(np.float64), queries.values
    sizes = np.outer(np.linalg.norm(q, axis=1), np.linalg.norm(g, axis=1))
    scores: Values = {
        "dot": q @ g.T,
        "cosine": q @ g.T / sizes,
        "l2": -np.linalg.norm(q[:, None] - g[None], axis=2),
    }[metric]

    found = ExactIndex.of(gallery, metric, rows_at_once=block).search(queries, 20)

    order = np.argsort(-scores, axis=1)[:, :20]
    np.testing.assert_array_equal(found.rows, order)
    np.testing.assert_allclose(found.scores, np.take_along_axis(scores, order, 1))


def test_blocks_change_nothing() -> None:
    """Rows that differ by less than single precision are still told apart."""
    rng = np.random.default_rng(5)
    rows = np.ones((200, 16)) + 1e-9 * rng.normal(size=(200, 16))
    gallery = vectors([f"{n}" for n in rng.permutation(200)], rows)
    queries = vectors(["q"], rng.normal(size=(1, 16)))
    sizes = product((1, 7), (1, 13, 200))
    found = [
        ExactIndex.of(gallery, "dot", queries_at_once=q, rows_at_once=r).search(
            queries, 9
        )
        for q, r in sizes
    ]

    best = np.argsort(-(rows @ queries.values[0]))[:9]
    assert all(one.rows.tolist() == [best.tolist()] for one in found)


def test_only_the_own_id_is_left_out_and_twins_stay() -> None:
    rows = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    gallery = vectors(["b", "a", "c"], rows)
    index = ExactIndex.of(gallery)

    assert index.search(gallery, 2).names()[0] == ["a", "b"]
    assert index.search(gallery, 2, without_itself=True).names() == [
        ["a", "c"],
        ["b", "c"],
        ["a", "b"],
    ]


def test_fewer_vectors_than_k() -> None:
    gallery = vectors(["b", "a"], np.array([[1.0, 0.0], [0.0, 1.0]]))

    found = ExactIndex.of(gallery).search(gallery, 3, without_itself=True)

    assert found.names() == [["a"], ["b"]]
    assert found.rows.tolist() == [[1, -1, -1], [0, -1, -1]]
    assert np.isnan(found.scores[:, 1:]).all()


def test_lengths_that_differ_are_told_where_the_metric_is_the_cosine() -> None:
    rows = np.array([[1.0, 0.0], [3.0, 0.0]])
    gallery = vectors(["a", "b"], rows)

    (note,) = ExactIndex.of(gallery).notes
    assert note.startswith("1 of 2 vectors are not of length 1")
    assert ExactIndex.of(gallery, "dot").notes == ()


def test_queries_of_another_model_are_refused_unless_meant() -> None:
    index: VectorIndex = ExactIndex.of(vectors(["a"], np.ones((1, 2)), model="old"))
    query = vectors(["q"], np.ones((1, 2)), model="new")

    with pytest.raises(DataError, match="not the same space"):
        index.search(query, 1)
    assert index.search(query, 1, across=True).names() == [["a"]]


def test_one_rotation_of_queries_and_gallery_changes_nothing() -> None:
    """Rotating only the queries does."""
    rng = np.random.default_rng(1)
    rows, names = rng.normal(size=(40, 6)), [f"{n}" for n in range(40)]
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    index = ExactIndex.of(vectors(names, rows))
    turned = ExactIndex.of(vectors(names, rows @ turn))
    plain = index.search(vectors(names, rows), 5).rows

    assert np.array_equal(turned.search(vectors(names, rows @ turn), 5).rows, plain)
    assert not np.array_equal(index.search(vectors(names, rows @ turn), 5).rows, plain)


def test_k_must_be_positive() -> None:
    gallery = vectors(["a"], np.ones((1, 2)))

    with pytest.raises(UsageError, match="at least 1"):
        ExactIndex.of(gallery).search(gallery, 0)


def test_nothing_among_nothing() -> None:
    none, one = vectors([], np.zeros((0, 2))), vectors(["a"], np.ones((1, 2)))

    assert ExactIndex.of(none).search(one, 2).names() == [[]]
    assert ExactIndex.of(one).search(none, 2).names() == []
