import numpy as np
import pytest

from compat_eval.core.errors import DataError
from compat_eval.mitigations.train.distillation import distilled, right_shares
from compat_eval.tasks.dependency.task import Dependency
from tests import fakes

EXAMPLES = fakes.examples(id=["a", "b"], input=["x", "y"], gold=["1", "2"])


def test_gold_becomes_what_old_answered_by_id() -> None:
    answers = fakes.predictions(id=["b", "c", "a"], prediction=["B", "C", "A"])

    silver = distilled(EXAMPLES, answers)

    assert silver.column("gold").to_pylist() == ["A", "B"]
    assert silver.column("input").to_pylist() == ["x", "y"]
    assert EXAMPLES.column("gold").to_pylist() == ["1", "2"]


def test_every_example_needs_a_prediction() -> None:
    answers = fakes.predictions(id=["b"], prediction=["B"])

    with pytest.raises(DataError, match=r"no prediction for 1 training examples \(a\)"):
        distilled(EXAMPLES, answers)


def test_every_prediction_needs_an_answer() -> None:
    answers = fakes.predictions(id=["a", "b"], prediction=["A", None])

    with pytest.raises(DataError, match=r"no answer to 1 training examples \(b\)"):
        distilled(EXAMPLES, answers)


def test_gold_stays_where_old_does_not_teach() -> None:
    answers = fakes.predictions(id=["a", "b"], prediction=["A", None])

    mixed = distilled(EXAMPLES, answers, np.array([True, False]))

    assert mixed.column("gold").to_pylist() == ["A", "2"]


def test_shares_are_of_the_units_of_each_example() -> None:
    heads = {"heads": [2, 0, 2], "deprels": ["a", "root", "b"]}
    wrong = {"heads": [2, 0, 1], "deprels": ["a", "root", "b"]}
    asked = fakes.examples(
        id=["a", "b"],
        input=[{"words": ["x", "y", "z"], "upos": ["X"] * 3}] * 2,
        gold=[heads, heads],
    )
    answers = fakes.predictions(id=["a", "b"], prediction=[heads, wrong])

    shares = right_shares(Dependency(), asked, answers)

    np.testing.assert_allclose(shares, [1.0, 2 / 3])
