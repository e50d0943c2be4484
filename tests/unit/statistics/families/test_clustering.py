"""Pairwise F1 agrees with scikit-learn's counts of pairs."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat_eval.core.errors import UsageError
from compat_eval.statistics.families.clustering import (
    changed_memberships,
    pair_sums,
    renamed,
)
from compat_eval.statistics.families.f1 import f1

ITEMS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=20
)


@settings(deadline=None)
@given(ITEMS)
def test_as_counting_pairs_one_by_one(items: list[tuple[int, int]]) -> None:
    pairs = list(combinations(items, 2))
    correct = sum(one == other for one, other in pairs)
    predicted = sum(one[0] == other[0] for one, other in pairs)
    gold = sum(one[1] == other[1] for one, other in pairs)

    sums = pair_sums(*np.array(items).T).sum(axis=0)

    assert sums.tolist() == [2 * correct, 2 * predicted, 2 * gold]


def test_f1_by_hand() -> None:
    """{a a b} and {b}: of 3 predicted and 2 gold pairs 1 is correct."""
    rows = pair_sums(np.array([1, 1, 1, 2]), np.array(["a", "a", "b", "b"]))

    assert f1(rows.sum(axis=0)) == pytest.approx(2 * 1 / (3 + 2))


def test_names_of_clusters_do_not_matter_to_f1() -> None:
    gold = np.array(["a", "a", "b"])

    np.testing.assert_array_equal(
        pair_sums(np.array([0, 1, 1]), gold), pair_sums(np.array([7, 3, 3]), gold)
    )


def test_clusters_that_only_swap_names_change_no_membership() -> None:
    old, new = np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0])

    assert changed_memberships(old, new) == 1.0
    assert changed_memberships(old, renamed(old, new)) == 0.0


def test_new_clusters_get_numbers_of_their_own() -> None:
    old, new = np.array([0, 0, 0]), np.array([5, 6, 6])

    assert renamed(old, new).tolist()[1:] == [0, 0]
    assert changed_memberships(old, renamed(old, new)) == pytest.approx(1 / 3)


def test_items_must_be_the_same() -> None:
    with pytest.raises(UsageError, match="3 items before, and 2 after"):
        changed_memberships(np.arange(3), np.arange(2))
