"""Cumulative match characteristic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat_eval.statistics.families.matches import (
    average_precisions,
    cmc,
    first_matches,
)

FIRST = st.lists(st.integers(1, 6), min_size=1, max_size=20)


def test_ranks_by_hand() -> None:
    labels = np.array([["b", "a", "a"], ["b", "b", "b"], ["a", "a", "c"]])
    there = np.ones((3, 3), bool)

    found = first_matches(labels, there, np.array(["a", "a", "c"]))

    assert found.tolist() == [2.0, np.inf, 3.0]


def test_a_neighbour_that_is_not_there_matches_nothing() -> None:
    labels = np.array([["b", "a"]])

    assert first_matches(labels, np.array([[True, False]]), np.array(["a"])) == np.inf


@settings(deadline=None)
@given(FIRST)
def test_it_never_falls_and_ends_at_1_where_all_have_a_match(first: list[int]) -> None:
    curve = cmc(np.array(first, float), np.arange(1, 7))

    assert (np.diff(curve) >= 0).all()
    assert curve[-1] == 1.0


def test_without_queries_it_is_undefined() -> None:
    assert np.isnan(cmc(np.zeros(0), np.array([1, 5]))).all()


def test_average_precision_as_trec_eval() -> None:
    """Also where relevant items are not among the neighbours."""
    measures = pytest.importorskip("ir_measures")
    rng = np.random.default_rng(0)
    relevant = rng.random((20, 30)) < 0.3
    missed = rng.integers(0, 4, size=20)
    relevant[0, :] = False
    missed[0] = 1
    names = [f"d{n:02}" for n in range(30)]
    run = {
        f"q{at}": {name: -float(n) for n, name in enumerate(names)} for at in range(20)
    }
    qrels = {
        f"q{at}": {
            **{name: int(r) for name, r in zip(names, row, strict=True)},
            **{f"missed{n}": 1 for n in range(missed[at])},
        }
        for at, row in enumerate(relevant)
    }
    theirs = {
        one.query_id: one.value for one in measures.iter_calc([measures.AP], qrels, run)
    }

    found = average_precisions(relevant, relevant.sum(axis=1) + missed)

    np.testing.assert_allclose(found, [theirs[f"q{at}"] for at in range(20)])


def test_a_query_without_relevant_items_has_no_average_precision() -> None:
    assert np.isnan(average_precisions(np.zeros((1, 3), bool), np.array([0]))).all()
