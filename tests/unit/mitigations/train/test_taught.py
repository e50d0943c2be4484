"""OLD's answers beside the training examples."""

import pytest

from compat_eval.mitigations.train.taught import (
    old_right,
    with_taught,
    with_teacher_logits,
)
from compat_eval.runner.ask import ask
from compat_eval.runner.questions import Logits, Predict
from tests import fakes
from tests.unit.mitigations.toy_classifiers import ToyClassifier, ToySource

EXAMPLES = fakes.examples(
    id=["1", "2", "3"], input=["one", "two", "bad"], gold=["c", "x", "a"]
)
OLD = ToySource(
    ToyClassifier({"one": [0.0, 1.0, 2.0], "two": [3.0, 1.0, 2.0]}, fails="bad")
)


@pytest.mark.parametrize("question", [Logits(), Predict()])
def test_old_is_right_where_its_answer_is_gold(question: Logits | Predict) -> None:
    right = old_right(EXAMPLES, ask(OLD, EXAMPLES, question))

    found = with_taught(EXAMPLES, right)

    assert found.column("taught").to_pylist() == [1.0, 0.0, 0.0]


def test_a_teacher_has_a_logit_for_each_label_of_training() -> None:
    found = with_teacher_logits(EXAMPLES, ask(OLD, EXAMPLES, Logits()))

    # Of a, c and x: OLD does not know x, and nobody learns b.
    assert found.column("teacher_logits").to_pylist() == [
        [0.0, 2.0, -1e4],
        [3.0, 2.0, -1e4],
        [-1e4, -1e4, -1e4],
    ]


def test_several_teachers_teach_by_their_mean_where_all_know() -> None:
    other = ToySource(
        ToyClassifier(
            {"one": [2.0, 4.0], "two": [1.0, 1.0], "bad": [5.0, 5.0]},
            labels=("a", "x"),
        )
    )
    teachers = [ask(one, EXAMPLES, Logits()) for one in (OLD, other)]

    found = with_teacher_logits(EXAMPLES, *teachers)

    assert found.column("teacher_logits").to_pylist() == [
        [1.0, -1e4, -1e4],
        [2.0, -1e4, -1e4],
        [-1e4, -1e4, -1e4],
    ]
