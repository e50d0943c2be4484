"""Cumulative match characteristic."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from compat_eval.statistics.families.matches import cmc, first_matches

FIRST = st.lists(st.integers(1, 6), min_size=1, max_size=20)


def test_ranks_by_hand() -> None:
    labels = np.array([["b", "a", "a"], ["b", "b", "b"], ["a", "a", "c"]])
    there = np.ones((3, 3), bool)

    found = first_matches(labels, there, np.array(["a", "a", "c"]))

    assert found.tolist() == [2.0, np.inf, 3.0]


def test_a_neighbour_that_is_not_there_matches_nothing() -> None:
    labels = np.array([["b", "a"]])

    assert first_matches(labels, np.array([[True, False]]), np.array(["a"])) == np.inf


@given(FIRST)
def test_it_never_falls_and_ends_at_1_where_all_have_a_match(first: list[int]) -> None:
    curve = cmc(np.array(first, float), np.arange(1, 7))

    assert (np.diff(curve) >= 0).all()
    assert curve[-1] == 1.0


def test_without_queries_it_is_undefined() -> None:
    assert np.isnan(cmc(np.zeros(0), np.array([1, 5]))).all()
