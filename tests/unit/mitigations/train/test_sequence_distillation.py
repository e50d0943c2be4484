import pytest

from compat_eval.core.errors import DataError
from compat_eval.mitigations.train.sequence_distillation import distilled
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
