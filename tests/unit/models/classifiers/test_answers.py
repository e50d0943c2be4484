import numpy as np
import pytest

from compat_eval.models.classifiers.answers import (
    answer_table,
    judged_table,
    probability_table,
)


def test_scores_are_softmax_probabilities_and_margins_their_lead() -> None:
    logits = np.log([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]])

    table = answer_table(logits, ["a", "b", "c"])

    assert table["prediction"].to_pylist() == ["b", "a"]
    assert table["score"].to_pylist() == pytest.approx([0.5, 0.6])
    assert table["margin"].to_pylist() == pytest.approx([0.2, 0.3])
    assert table["error"].to_pylist() == [None, None]


def test_a_constant_added_to_logits_changes_nothing() -> None:
    logits = np.array([[1.0, 3.0]])

    low, high = answer_table(logits, ["a", "b"]), answer_table(logits + 1e4, ["a", "b"])

    assert low["score"].to_pylist() == pytest.approx(high["score"].to_pylist())


def test_a_tie_goes_to_the_same_label_in_every_order() -> None:
    first = answer_table(np.zeros((1, 3)), ["c", "a", "b"])
    second = answer_table(np.zeros((1, 3)), ["b", "c", "a"])

    assert first["prediction"].to_pylist() == second["prediction"].to_pylist() == ["a"]
    assert first["margin"].to_pylist() == [0.0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_row_that_is_not_finite_is_an_error_and_its_neighbours_are_not(
    bad: float,
) -> None:
    table = answer_table(np.array([[0.0, 1.0], [bad, 1.0]]), ["a", "b"])

    assert table["prediction"].to_pylist() == ["b", None]
    assert table["score"].is_null().to_pylist() == [False, True]
    assert table["margin"].is_null().to_pylist() == [False, True]
    assert table["error"][0].as_py() is None
    assert "not finite" in table["error"][1].as_py()


def test_no_rows_give_an_empty_table() -> None:
    table = probability_table(np.zeros((0, 2)), ["a", "b"])

    assert table.num_rows == 0
    assert str(table.schema.field("prediction").type) == "string"


def test_an_answer_that_is_not_the_most_probable_has_no_margin() -> None:
    table = judged_table(["a"], np.array([[0.4, 0.6]]), ["a", "b"])

    assert table["score"].to_pylist() == [0.4]
    assert table["margin"].to_pylist() == [0.0]
