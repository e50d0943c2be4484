import numpy as np

from compat_eval.core.grades import cells
from compat_eval.tasks import task
from tests.fakes import examples, predictions


def test_answers_are_the_same_or_changed_and_none_is_the_same_as_none_only() -> None:
    found = task("agreement")
    ids = list("abcd")
    asked = examples(id=ids)

    old, new = (
        found.grade(asked, predictions(id=ids, prediction=answers))["example"]
        for answers in (["x", "y", None, None], ["x", "z", None, "x"])
    )

    level = found.levels[0]
    assert cells(level, old, new).tolist() == [0, 1, 0, 1]
    assert np.isnan(old.values).tolist() == [False, False, True, True]


def test_one_side_alone_says_nothing() -> None:
    found = task("agreement")
    said = predictions(id=["a"], prediction=["x"])

    assert found.statistics(examples(id=["a"]), said) == ()
    assert (found.show(None), found.show("x")) == ("", "x")
    assert not found.levels[0].needs_gold
