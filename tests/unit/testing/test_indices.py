"""The contract of an index: the embedded one keeps it, broken ones are found out."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest

from compat_eval.testing import check_index
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.index import Metric, Neighbours
from compat_eval.vectors.vectors import Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenIndex(ExactIndex):
    """An exact index with one fault."""

    fault: str = ""

    def search(
        self,
        queries: Vectors,
        k: int,
        *,
        without_itself: bool = False,
        across: bool = False,
    ) -> Neighbours:
        """Search, with the fault."""
        itself = without_itself and self.fault != "finds itself"
        across = across or self.fault == "takes any model"
        found = ExactIndex.search(
            self, queries, k, without_itself=itself, across=across
        )
        if self.fault == "misses one":
            more = ExactIndex.search(
                self, queries, k + 1, without_itself=itself, across=across
            )
            kept = [0, *range(2, k + 1)]
            return replace(more, rows=more.rows[:, kept], scores=more.scores[:, kept])
        if self.fault == "distances":
            return replace(found, scores=-found.scores)
        if self.fault == "zeros for nothing":
            return replace(found, scores=np.nan_to_num(found.scores))
        if self.fault == "worst first":
            return replace(found, rows=found.rows[:, ::-1])
        return found


def broken(vectors: Vectors, metric: Metric, fault: str) -> BrokenIndex:
    good = ExactIndex.of(vectors, metric)
    return BrokenIndex(
        vectors=vectors,
        metric=metric,
        lengths=good.lengths,
        order=good.order,
        fault=fault,
    )


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2"])
def test_the_embedded_index_keeps_the_contract(metric: Metric) -> None:
    check_index(ExactIndex.of, metric)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("finds itself", "own id"),
        ("takes any model", "another model"),
        ("distances", "scores must fall"),
        ("zeros for nothing", "nan"),
        ("worst first", "nearest first"),
    ],
)
def test_a_broken_index_is_found_out(fault: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_index(partial(broken, fault=fault), "cosine")


def test_an_approximate_index_may_miss_some_as_it_says() -> None:
    """Nine of the ten nearest are found."""
    coarse = partial(broken, fault="misses one")

    check_index(coarse, "l2", recall=0.9)
    with pytest.raises(AssertionError, match=r"0\.90 of the nearest"):
        check_index(coarse, "l2", recall=0.95)
