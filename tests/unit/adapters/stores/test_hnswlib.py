import numpy as np
import pytest

from compat_eval.adapters.stores.hnswlib import hnsw_engine
from compat_eval.testing import check_index
from compat_eval.vectors.engine_index import EngineIndex, recall
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.index import NOTHING, Metric, VectorIndex
from compat_eval.vectors.vectors import Vectors

pytest.importorskip("hnswlib", reason="hnswlib is not installed")
ROWS = np.random.default_rng(0).normal(size=(500, 8)).astype(np.float32)


def graph(vectors: Vectors, metric: Metric) -> VectorIndex:
    exact = ExactIndex.of(vectors, metric)
    return EngineIndex(scored=exact, engine=hnsw_engine(exact))


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2"])
def test_a_graph_keeps_the_contract_of_an_approximate_index(metric: Metric) -> None:
    check_index(graph, metric, recall=0.95)


def test_what_is_missed_is_stated_and_the_same_every_time() -> None:
    ids = [str(n) for n in range(500)]
    vectors = Vectors.of(ids, ROWS, model="m1", normalised=False)
    exact = ExactIndex.of(vectors, "dot")
    coarse = [
        EngineIndex(scored=exact, engine=hnsw_engine(exact, links=2, breadth=3))
        for _ in range(2)
    ]

    shares = [recall(one, vectors, 10) for one in coarse]

    assert shares[0] == shares[1] < 1
    assert coarse[0].notes[-1].startswith("hnswlib (M 2, ef 3) is approximate")


def test_a_graph_that_reaches_fewer_than_asked_ends_in_nothing() -> None:
    rows = np.repeat(ROWS[:1], 200, axis=0)  # equal vectors need not be linked
    ids = [str(n) for n in range(200)]
    vectors = Vectors.of(ids, rows, model="m1", normalised=False)
    exact = ExactIndex.of(vectors, "l2")
    engine = hnsw_engine(exact, links=2, breadth=2)

    found = engine.nearest(rows[:1], 200)

    there = found[found != NOTHING]
    assert len(set(there.tolist())) == len(there)
