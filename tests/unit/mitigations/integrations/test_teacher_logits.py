"""OLD's logits by id, in the order of another model's labels."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compat_eval.core.errors import DataError, UsageError
from compat_eval.mitigations.integrations.teacher_logits import (
    NO_LABEL,
    TeacherLogits,
)

OLD = TeacherLogits.of(
    ["a", "b", "c"], np.array([[1, 3], [2, 0], [np.nan, 0]]), ["yes", "no"]
)


def test_labels_are_matched_by_name_and_unknown_ones_are_impossible() -> None:
    found = OLD.for_labels({0: "maybe", 1: "no"})

    assert found.labels == ("maybe", "no")
    assert found.values[:2].tolist() == [[-1e4, 3], [-1e4, 0]]
    assert found.answers.tolist() == [1, NO_LABEL, NO_LABEL]


def test_old_teaches_where_its_own_answer_is_right() -> None:
    found = OLD.for_labels(["no", "yes"]).columns(["b", "a"], [1, 1])

    assert found["teacher_logits"].tolist() == [[0, 2], [3, 1]]
    assert found["taught"].tolist() == [1, 0]  # yes is right, and OLD said yes and no


def test_an_answer_that_the_student_lacks_is_wrong_even_where_it_is_left_out() -> None:
    # Of the labels that are left "no" is the best, but OLD said "yes".
    found = OLD.for_labels(["no"]).columns(["b"], [0])

    assert found["taught"].tolist() == [0]


def test_ids_may_be_numbers_of_any_library() -> None:
    old = TeacherLogits.of(range(3), np.eye(3), "abc")

    assert old.rows([np.int64(2), 0, "1"]).tolist() == [2, 0, 1]


@pytest.mark.parametrize("asked", ["d", "c"])
def test_examples_without_logits_are_named(asked: str) -> None:
    with pytest.raises(DataError, match=rf"1 of 2 examples \({asked}\).*predict OLD"):
        OLD.rows(["a", asked])


def test_models_without_a_common_label_are_refused() -> None:
    with pytest.raises(DataError, match="share no label"):
        OLD.for_labels(["LABEL_0", "LABEL_1"])


def test_repeated_ids_and_other_shapes_are_refused() -> None:
    with pytest.raises(DataError, match=r"1 ids occur more than once \(a\)"):
        TeacherLogits.of(["a", "a"], [[1], [2]], ["x"])
    with pytest.raises(DataError, match=r"shape \(1, 2\); got \(1, 1\)"):
        TeacherLogits.of(["a"], [[1]], ["x", "y"])


def test_what_differs_in_a_logit_has_another_digest() -> None:
    other = TeacherLogits.of(["a", "b", "c"], [[1, 3], [2, 1], [0, 0]], OLD.labels)

    assert OLD.digest() != other.digest()


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"], "logits": [1.0]}), tmp_path / "a.parquet")
    (tmp_path / "b.jsonl").write_text("{")

    with pytest.raises(DataError, match="expected columns id and logits"):
        TeacherLogits.read(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="cannot be read"):
        TeacherLogits.read(tmp_path / "b.jsonl")
    with pytest.raises(DataError, match="cannot be read"):
        TeacherLogits.read(tmp_path / "absent.parquet")
    with pytest.raises(UsageError, match=r"\.parquet and \.jsonl"):
        TeacherLogits.read(tmp_path / "old.csv")
