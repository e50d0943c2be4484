from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from compat_eval.readers.guess import (
    guessed,
    is_sure,
    repeated,
    two_answers,
    with_labels,
)
from compat_eval.readers.headers import Header

LABELS = ["a", "b", "a", "c", "b", "a"]
SAID = ["a", "b", "b", "c", "b", "c"]
IDS = ["q1", "q2", "q3", "q4", "q5", "q6"]
ALL = ("id", "prediction", "gold")


def header(columns: Mapping[str, Sequence[Any]]) -> Header:
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values())]  # noqa: B905
    return Header(names=tuple(columns), rows=tuple(rows))


@pytest.mark.parametrize(
    ("id_", "gold", "said"),
    [
        ("qid", "label", "pred"),
        ("uuid", "answer", "response"),
        ("ticket_id", "y_true", "y_pred"),
        ("questionId", "groundTruth", "modelOutput"),
        ("", "target", "completion"),
        ("Unnamed: 0", "gold_label", "label"),
        ("example id", "Expected", "Answer"),
        ("index", "class", "predicted class"),
    ],
)
def test_names_tell_what_columns_are(id_: str, gold: str, said: str) -> None:
    found = guessed(header({id_: IDS, gold: LABELS, said: SAID}), ALL)

    assert found == {"id": id_ or "0", "gold": gold, "prediction": said}


def test_an_id_is_another_in_each_row() -> None:
    found = guessed(header({"user_id": ["u1", "u1", "u2"], "key": [1, 2, 3]}), ["id"])

    assert found == {"id": "key"}


def test_a_probability_is_no_answer() -> None:
    columns: dict[str, list[Any]] = {
        "pred_label": [0.3, 0.4, 0.9],
        "output": ["a", "b", "a"],
    }

    assert guessed(header(columns), ["prediction"]) == {"prediction": "output"}


def test_an_answer_of_unknown_name_has_the_labels_of_gold() -> None:
    columns = {"qid": IDS, "gold": LABELS, "mistral": SAID, "lang": ["en"] * 6}

    assert guessed(header(columns), ["prediction"]) == {"prediction": "mistral"}


def test_answers_differ_between_files_and_questions_do_not() -> None:
    old = header({"id": IDS, "label_1": LABELS, "label_2": LABELS})
    new = header({"id": IDS, "label_1": LABELS, "label_2": SAID})

    found = guessed(old, ["gold", "prediction"], other=new)

    assert found == {"gold": "label_1", "prediction": "label_2"}


def test_the_one_column_that_differs_between_the_files_is_the_answer() -> None:
    old = header({"key": IDS, "zeta": LABELS, "lang": ["en"] * 6})
    new = header({"key": IDS, "zeta": SAID, "lang": ["en"] * 6})

    assert guessed(old, ALL, other=new) == {"id": "key", "prediction": "zeta"}


def test_rows_that_are_several_answers_have_an_id_and_a_number() -> None:
    columns: dict[str, list[Any]] = {
        "qid": ["1", "1", "2", "2"],
        "sample": [0, 1, 0, 1],
        "out": list("abca"),
    }

    assert repeated(header(columns)) == ("qid", "sample")
    assert repeated(header({**columns, "sample": [0, 0, 0, 1]})) is None
    assert repeated(header({"qid": [1, 2, 3], "sample": [0, 0, 0]})) is None


def test_gold_of_another_file_has_the_labels_of_the_answers() -> None:
    gold = header({"id": IDS, "wahrheit": LABELS, "team": list("xyzxyz")})

    assert with_labels(gold, SAID, taken={"id"}) == "wahrheit"
    assert with_labels(gold, [*SAID, *"xyz"], taken={"id"}) is None


def test_what_is_the_same_in_each_row_is_no_gold() -> None:
    columns = {"key": LABELS, "first choice": ["a"] * 6, "prediction": SAID}

    assert guessed(header(columns), ["gold"], taken={"prediction"}) == {"gold": "key"}


def test_nothing_is_guessed_where_nothing_tells() -> None:
    assert guessed(header({"a": ["x", "y"], "b": ["z", "w"]}), ALL) == {}


@pytest.mark.parametrize(
    ("names", "pair"),
    [
        (("pred_old", "pred_new"), ("pred_old", "pred_new")),
        (("pred_new", "pred_old"), ("pred_old", "pred_new")),
        (("candidate output", "baseline output"), ("baseline output",
                                                   "candidate output")),
        (("gpt-3.5", "gpt-4"), ("gpt-3.5", "gpt-4")),
        (("answer_v1", "answer_v2"), ("answer_v1", "answer_v2")),
    ],
)  # fmt: skip
def test_one_file_has_two_answers(
    names: tuple[str, str], pair: tuple[str, str]
) -> None:
    one = header({"id": IDS, "gold": LABELS, names[0]: LABELS, names[1]: SAID})

    assert two_answers(one, gold="gold", taken={"id"}) == pair


def test_three_answers_are_no_pair() -> None:
    said = {f"pred_{n}": SAID for n in ("a", "b", "c")}

    assert two_answers(header(said), gold=None, taken=()) is None


def test_a_whole_name_is_surer_than_a_word_of_it() -> None:
    assert is_sure("gold", "y_true")
    assert not is_sure("prediction", "gpt4_answer")
