from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat_eval.core.errors import ModelError
from compat_eval.runner.attempt import attempt
from compat_eval.runner.failure import Failure


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
