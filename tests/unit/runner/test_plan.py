import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat_eval.runner.plan import by_length, in_order

LENGTHS = st.lists(st.integers(0, 60), max_size=80)
BUDGETS = st.integers(1, 200)
CAPS = st.integers(1, 12)


@given(LENGTHS, BUDGETS, CAPS)
def test_every_item_is_in_exactly_one_batch(
    lengths: list[int], budget: int, cap: int
) -> None:
    plan = by_length(lengths, token_budget=budget, batch_cap=cap)

    members = [at for batch in plan for at in batch.tolist()]
    assert sorted(members) == list(range(len(lengths)))


@given(LENGTHS, BUDGETS, CAPS)
def test_a_batch_keeps_the_budget_and_the_cap_unless_one_item_is_too_long(
    lengths: list[int], budget: int, cap: int
) -> None:
    for batch in by_length(lengths, token_budget=budget, batch_cap=cap):
        padded = max(lengths[at] for at in batch.tolist()) * len(batch)

        assert len(batch) == 1 or (padded <= budget and len(batch) <= cap)


@given(LENGTHS, BUDGETS, CAPS)
def test_the_longest_come_first_and_ties_keep_their_order(
    lengths: list[int], budget: int, cap: int
) -> None:
    plan = by_length(lengths, token_budget=budget, batch_cap=cap)

    members = [at for batch in plan for at in batch.tolist()]
    assert members == sorted(range(len(lengths)), key=lambda at: (-lengths[at], at))


@given(LENGTHS, BUDGETS)
def test_no_batch_could_take_up_its_successor(lengths: list[int], budget: int) -> None:
    plan = by_length(lengths, token_budget=budget, batch_cap=10**6)

    for batch in plan[:-1]:
        longest = max(1, *(lengths[at] for at in batch.tolist()))
        assert longest * (len(batch) + 1) > budget


def test_batches_by_hand() -> None:
    plan = by_length(np.array([4, 2, 9, 4, 1]), token_budget=8, batch_cap=2)

    assert [batch.tolist() for batch in plan] == [[2], [0, 3], [1, 4]]


def test_items_of_no_length_are_only_capped() -> None:
    plan = by_length([0, 0, 0], token_budget=5, batch_cap=2)

    assert [batch.tolist() for batch in plan] == [[0, 1], [2]]


@pytest.mark.parametrize("n_items", [0, 1, 4, 5])
def test_in_order_keeps_the_order(n_items: int) -> None:
    plan = in_order(n_items, batch_size=2)

    assert [at for batch in plan for at in batch.tolist()] == list(range(n_items))
    assert all(len(batch) == 2 for batch in plan[:-1])
