import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat_eval.core.errors import DataError, ModelError
from compat_eval.core.examples import Examples
from compat_eval.runner.batches import Inputs, attempt, by_length, in_order, input_keys
from compat_eval.runner.failure import Failure
from tests.fakes import examples


def keys(values: Sequence[object], kind: pa.DataType | None = None) -> list[bytes]:
    column = pa.chunked_array([pa.array(values, kind)])
    found: list[bytes] = input_keys(column).to_pylist()
    return found


def test_the_key_of_a_text_is_the_sha256_of_its_utf8() -> None:
    texts = ["", "a", "größer\n", "\x00", "a" * 1000]

    assert keys(texts) == [hashlib.sha256(text.encode()).digest() for text in texts]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_slices_chunks_and_nulls_do_not_move_keys(kind: pa.DataType) -> None:
    whole = pa.array(["zero", "one", "two", None, "four"], kind)
    pieces = pa.chunked_array([whole.slice(1, 2), whole.slice(3, 1), whole.slice(4)])
    plain = keys(["one", "two", None, "four"], pa.string())

    assert input_keys(pieces).to_pylist() == plain


def test_a_structure_has_another_key_than_its_text() -> None:
    structures = keys([{"a": "x"}, {"a": "y"}])

    assert len({*structures, *keys(['{"a":"x"}', "x"])}) == 4


def test_no_examples_have_no_inputs() -> None:
    table = pa.table(
        {"id": pa.array([], pa.string()), "input": pa.array([], pa.string())}
    )

    assert len(Inputs.of(Examples(table))) == 0


def test_each_distinct_input_stands_where_it_came_first() -> None:
    asked = Inputs.of(examples(id=list("uvwxy"), input=["b", "a", "b", "c", "a"]))

    assert asked.values.to_pylist() == ["b", "a", "c"]
    assert asked.codes.tolist() == [0, 1, 0, 2, 1]


def test_an_input_that_json_cannot_say_is_refused() -> None:
    with pytest.raises(DataError, match="an input must be text"):
        keys([b"bytes"])


def refusing(bad: frozenset[int], calls: list[int] | None = None):  # type: ignore[no-untyped-def]  # noqa: ANN201
    def call(items: Sequence[int]) -> list[int]:
        if calls is not None:
            calls.append(len(items))
        if bad & {*items}:
            raise ValueError(f"cannot read {sorted(bad & {*items})}")
        return [item * 10 for item in items]

    return call


@given(st.integers(1, 40), st.frozensets(st.integers(0, 39)))
def test_only_those_fail_that_fail_alone(n_items: int, bad: frozenset[int]) -> None:
    items = list(range(n_items))

    found: list[int | None] = []
    for count, result in attempt(refusing(bad), items):
        if isinstance(result, Failure):
            assert count == 1
            found.append(None)
        else:
            assert count == len(result)
            found.extend(result)
    assert found == [None if item in bad else item * 10 for item in items]


def test_one_bad_item_costs_a_few_more_calls() -> None:
    calls: list[int] = []

    list(attempt(refusing(frozenset({5}), calls), list(range(8))))

    assert calls == [8, 4, 4, 2, 1, 1, 2]


def test_too_little_memory_halves_the_batch() -> None:
    def call(items: Sequence[int]) -> list[int]:
        if len(items) > 2:
            raise MemoryError
        return list(items)

    assert list(attempt(call, [1, 2, 3, 4])) == [(2, [1, 2]), (2, [3, 4])]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), ModelError("x")])
def test_what_stops_a_run_passes_through(error: BaseException) -> None:
    def call(items: Sequence[int]) -> list[int]:  # noqa: ARG001
        raise error

    with pytest.raises(type(error)):
        list(attempt(call, [1, 2]))


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
