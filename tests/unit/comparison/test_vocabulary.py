import time
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from compat_eval.comparison.vocabulary import SideLabels, check_labels
from compat_eval.core.errors import DataError


def side(
    answers: Sequence[str | None], golds: Sequence[str] | None, name: str = "OLD"
) -> SideLabels:
    return SideLabels(
        name=name,
        answers=pa.chunked_array([answers], pa.string()),
        golds=None if golds is None else pa.chunked_array([golds], pa.string()),
    )


def check(
    answers: list[str | None],
    golds: list[str],
    *,
    declared: tuple[str, ...] = (),
    as_written: bool = False,
) -> tuple[str, ...]:
    right = side(list(golds), golds, "NEW")
    return check_labels(
        side(answers, golds),
        right,
        labels=(),
        declared=declared,
        as_written=as_written,
    )


def test_equal_labels_and_missing_answers_are_sound() -> None:
    assert check(["a", None, "b", "a"], ["a", "b", "b", "b"]) == ()


@pytest.mark.parametrize("grade", ["A-", "A+", "C", "C++", "c"])
def test_signs_are_no_spelling(grade: str) -> None:
    golds = ["A", "A", "B", "B", "D", "D", "c+", "c+"]
    notes = check([grade, *golds[1:]], golds)

    assert all("count as wrong" in note for note in notes)


def test_words_of_truth_are_one_only_where_gold_has_no_other_labels() -> None:
    digits = [str(i) for i in range(10)] * 2

    assert check(["yes", *digits[1:]], digits)[0].endswith("wrong: 'yes' (1).")
    with pytest.raises(DataError, match="'yes' for '1'"):
        check(["yes", "0", "0", "1"], ["1", "0", "0", "1"])


def test_all_sides_and_cures_stand_in_one_message() -> None:
    golds = ["a", "b"] * 5
    with pytest.raises(DataError) as refused:
        check_labels(
            side(["A", "B"] * 5, golds),
            side([" a", "b "] * 5, golds, "NEW"),
            labels=(),
            declared=(),
            as_written=False,
        )

    said = str(refused.value)
    assert "OLD spells" in said
    assert "NEW spells" in said
    assert "--normalise case" in said
    assert "--normalise strip" in said


def test_gold_labels_of_examples_left_out_are_known() -> None:
    golds = ["a", "a", "b", "b"]
    found = check_labels(
        side(["c", "a", "b", "b"], golds),
        side(golds, golds, "NEW"),
        labels=("a", "b", "c"),
        declared=(),
        as_written=False,
    )

    assert found == ()


def test_free_text_is_not_told_as_unknown_labels() -> None:
    golds = [f"answer {i}" for i in range(100)]

    assert check(["something else", *golds[1:]], golds) == ()


def test_a_file_that_grades_itself_is_only_told_of_other_spelling() -> None:
    found = check_labels(
        side(["a", "b"], None),
        side(["A", "b"], None, "NEW"),
        labels=(),
        declared=(),
        as_written=False,
    )

    assert "spell labels differently: 'a' for 'A' (1)" in found[0]


def test_a_long_label_is_cut_in_messages() -> None:
    with pytest.raises(DataError) as refused:
        check(["x" * 10_000] * 2, ["a", "b"])

    assert len(str(refused.value)) < 1_000


def test_a_million_rows_cost_no_more_than_their_labels() -> None:
    names = np.array([f"label {i}" for i in range(150)])
    codes = np.random.default_rng(0).integers(150, size=1_000_000)
    column = pa.chunked_array([names[codes].astype(object)], pa.string())
    sides = [SideLabels(name=n, answers=column, golds=column) for n in ("OLD", "NEW")]

    began = time.process_time()
    found = check_labels(*sides, labels=(), declared=(), as_written=False)

    assert found == ()
    assert time.process_time() - began < 3
