"""What engines find is scored, sorted and completed here: fakes stand for engines."""

from dataclasses import dataclass

import numpy as np
import pytest

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import DataError, UsageError
from compat_eval.testing import check_index
from compat_eval.vectors.engine_index import EngineIndex, recall
from compat_eval.vectors.exact_search import ExactIndex, Singles
from compat_eval.vectors.index import NOTHING, Metric, VectorIndex
from compat_eval.vectors.vectors import Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeEngine:
    """Finds the nearest in single precision, equal ones in an order of its own."""

    rows: Singles
    metric: Metric
    exact: bool = True
    misses: int = 0
    name: str = "fake"

    def nearest(self, queries: Singles, n: int) -> Ints:
        """Return the rows that it finds."""
        scores = queries @ self.rows.T
        if self.metric == "l2":
            scores = -((queries[:, None] - self.rows) ** 2).sum(axis=2)
        order = np.argsort(-scores[:, ::-1], axis=1, kind="stable")
        order = scores.shape[1] - 1 - order
        found = np.full((len(queries), n), NOTHING)
        kept = order[:, self.misses :][:, :n]
        found[:, : kept.shape[1]] = kept
        return found


def fake(vectors: Vectors, metric: Metric, *, misses: int = 0) -> EngineIndex:
    exact = ExactIndex.of(vectors, metric)
    engine = FakeEngine(
        rows=exact.scaled(vectors.values, 0),
        metric=metric,
        exact=not misses,
        misses=misses,
    )
    return EngineIndex(scored=exact, engine=engine)


def of(rows: list[list[float]]) -> Vectors:
    ids = [f"d{n:03}" for n in range(len(rows))]
    return Vectors.of(ids, np.array(rows), model="m1", normalised=False)


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2"])
def test_any_exact_engine_keeps_the_contract(metric: Metric) -> None:
    check_index(fake, metric)


def test_equal_vectors_stand_in_the_order_of_their_ids() -> None:
    """The engine gives the last of them first, and fewer than there are."""
    vectors = of([[1.0, 0.0]] * 50 + [[0.9, 0.1]] * 50)

    found = fake(vectors, "dot").search(of([[1.0, 0.0]]), 3)

    assert found.names() == [["d000", "d001", "d002"]]


def test_what_an_approximate_engine_misses_stays_missed_and_is_told() -> None:
    rng = np.random.default_rng(0)
    vectors = of(rng.normal(size=(40, 4)).tolist())
    index = fake(vectors, "cosine", misses=2)

    assert recall(index, vectors, 10) == pytest.approx(0.8)
    assert "approximate" in index.notes[-1]
    assert not any("approximate" in one for one in fake(vectors, "cosine").notes)


def test_an_empty_index_finds_nothing() -> None:
    nothing: VectorIndex = fake(
        Vectors.of([], np.empty((0, 2)), model="m1", normalised=False), "dot"
    )

    found = nothing.search(of([[1.0, 2.0]]), 2)

    assert found.rows.tolist() == [[NOTHING, NOTHING]]
    assert found.names() == [[]]


def test_k_and_queries_are_checked() -> None:
    index = fake(of([[1.0, 0.0]]), "dot")

    with pytest.raises(UsageError, match="at least 1"):
        index.search(of([[1.0, 0.0]]), 0)
    with pytest.raises(DataError, match="all zeros"):
        index.search(of([[0.0, 0.0]]), 1)
