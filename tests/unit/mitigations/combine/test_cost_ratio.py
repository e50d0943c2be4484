from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat_eval.core.errors import UsageError
from compat_eval.mitigations.combine.cost_ratio import (
    Beliefs,
    confusion,
    cost_ratio,
    updated,
)
from tests.fakes import FakeModel

GOLD = {"a": 10, "b": 10}
OLD = {"a": {"a": 8, "b": 2}, "b": {"a": 4, "b": 6}}
NEW = {"a": {"a": 9, "b": 1}, "b": {"a": 1, "b": 9}}


def beliefs(smoothing: float = 1e-9) -> Beliefs:
    return Beliefs(prior=GOLD, confusions=(OLD, NEW), smoothing=smoothing)


def test_beliefs_are_those_of_naive_bayes() -> None:
    found = beliefs().probabilities([["a", "a", "b"], ["b", "a", "a"]])

    # p(a)·p(ŷ_old | a)·p(ŷ_new | a), and of b
    for row, (a, b) in zip(found, [(8, 36), (72, 4), (18, 6)], strict=True):
        np.testing.assert_allclose(row, [a / (a + b), b / (a + b)], rtol=1e-6)


def test_an_answer_that_is_missing_or_unknown_says_nothing() -> None:
    found = beliefs().probabilities([[None, "z"], ["b", "b"]])

    np.testing.assert_allclose(found, [[0.1, 0.9]] * 2, rtol=1e-6)


def test_an_answer_changes_where_the_other_is_so_many_times_as_probable() -> None:
    told = np.array([[8 / 44, 36 / 44]])

    assert updated(["a"], told, ["a", "b"], ratio=4.5) == ["b"]
    assert updated(["a"], told, ["a", "b"], ratio=4.6) == ["a"]
    assert updated([None], told, ["a", "b"], ratio=100) == ["b"]


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 100), st.floats(1, 50), st.floats(1, 50))
def test_a_higher_ratio_keeps_more_of_old(seed: int, one: float, two: float) -> None:
    rng = np.random.default_rng(seed)
    olds = rng.choice(["a", "b"], size=30).tolist()
    told = beliefs(0.1).probabilities([olds, rng.choice(["a", "b"], size=30).tolist()])

    kept = [
        sum(
            x == y
            for x, y in zip(olds, updated(olds, told, ["a", "b"], r), strict=True)
        )
        for r in sorted((one, two))
    ]

    assert kept[0] <= kept[1]


def test_where_both_agree_it_is_what_they_say() -> None:
    model: Any = cost_ratio(
        FakeModel({"x": "q", "y": "a"}),
        FakeModel({"x": "q", "y": "b"}),
        prior=GOLD,
        old_confusion=OLD,
        new_confusion=NEW,
        ratio=2.0,
        smoothing=0.01,
    )

    found = model.predict(model.encode(["x", "y"]))["prediction"].to_pylist()

    assert found == ["q", "b"]


def test_answers_are_counted_by_gold_label() -> None:
    found = confusion(["b", "a", "a", "b"], ["b", "b", "a", None])

    assert found == {"a": {"a": 1, "b": 1}, "b": {"b": 1}}


def test_without_counts_it_says_what_is_needed() -> None:
    with pytest.raises(UsageError, match="counted on dev; give a suite"):
        cost_ratio(FakeModel({}), FakeModel({}))
