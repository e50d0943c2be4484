"""What an answer is, and where two models' answers differ."""

import pyarrow as pa

from compat_eval.core.predictions import Predictions

IDS = ["a", "b", "c"]


def test_where_there_are_predictions_they_are_the_answers() -> None:
    said = Predictions(
        pa.table({"id": IDS, "prediction": ["x", None, "y"], "score": [0.5, 0.5, None]})
    )

    assert said.answer_columns == ("prediction",)
    assert said.answered().tolist() == [True, False, True]


def test_elsewhere_an_answer_is_all_of_its_columns() -> None:
    said = Predictions(
        pa.table({"id": IDS, "nll": [1.0, None, 2.0], "n_tokens": [1, 3, 2]})
    )
    silent = Predictions(pa.table({"id": IDS}))

    assert said.answer_columns == ("nll", "n_tokens")
    assert said.answered().tolist() == [True, False, True]
    assert silent.answered().tolist() == [False] * 3


def test_answers_differ_where_a_column_of_theirs_does() -> None:
    one = Predictions(pa.table({"id": IDS, "nll": [1.0, None, 2.0]}))
    other = Predictions(pa.table({"id": IDS, "nll": [1.0, 3.0, 2.5]}))
    same = Predictions(pa.table({"id": IDS, "prediction": [["x"], None, ["y"]]}))

    assert one.differs(other).tolist() == [False, True, True]
    assert same.differs(same).tolist() == [False] * 3
