import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from compat_eval.core.errors import CompatEvalError
from compat_eval.readers.memory import (
    counts_rows,
    from_memory,
    index_of,
    one_column,
    probabilities,
)


class Streamed:
    """Stands for polars and whatever else speaks Arrow's stream protocol."""

    def __init__(self, held: pa.Table | pa.ChunkedArray) -> None:
        self._held = held

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._held.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "values",
    [
        ["a", None, "b"],
        ("a", None, "b"),
        np.array(["a", None, "b"], object),
        pd.Series(["a", None, "b"], dtype=object),
        pa.array(["a", None, "b"]),
        pa.chunked_array([["a"], [None, "b"]]).dictionary_encode(),
        pa.array(["a", None, "b"], pa.string_view()),
        pa.DictionaryArray.from_arrays(
            [0, None, 1], pa.array(["a", "b"], "string_view")
        ),
        Streamed(pa.chunked_array([pa.array(["a", None, "b"], pa.large_string())])),
    ],
    ids=lambda values: type(values).__name__,
)
def test_a_column_of_any_kind_holds_its_values(values: object) -> None:
    assert one_column(values, "old").to_pylist() == ["a", None, "b"]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (np.array([1, 0]), [1, 0]),
        ([np.int64(1), 0], [1, 0]),
        ([1, 2.0], [1.0, 2.0]),
        ([True, False], [True, False]),
        (pd.Series([1, 2], dtype="category"), [1, 2]),
        (range(2), [0, 1]),
        ([None, None], [None, None]),
        (np.ma.array([1, 2], mask=[True, False]), [None, 2]),
    ],
)
def test_numbers_and_truths_are_values_too(values: object, found: list[Any]) -> None:
    assert one_column(values, "old").to_pylist() == found


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"id": ["x", "y"], "prediction": [1, 2]}),
        pa.table({"id": ["x", "y"], "prediction": [1, 2]}),
        pa.record_batch({"id": ["x", "y"], "prediction": [1, 2]}),
        Streamed(
            pa.table(
                {"id": pa.array(["x", "y"], pa.large_string()), "prediction": [1, 2]}
            )
        ),
    ],
    ids=lambda table: type(table).__name__,
)
def test_a_table_of_any_kind_holds_its_columns(table: object) -> None:
    found = from_memory(table, "old")

    assert isinstance(found, pa.Table)
    assert found.to_pydict() == {"id": ["x", "y"], "prediction": [1, 2]}
    assert found.schema.field("id").type == pa.string()


@pytest.mark.parametrize(
    ("values", "cure"),
    [
        (lambda: None, "give a list"),
        (lambda: "yes", "old is a str; give a list"),
        (lambda: b"yes", "old is a bytes; give a list"),
        (lambda: 3, "an int, which has no length; give a list"),
        (lambda: (x for x in "ab"), "as in list(old)"),
        (lambda: {"q1": "a"}, "list(answers.values()) and ids=list(answers)"),
        (lambda: {"a", "b"}, "a set, which has no order"),
        (
            lambda: ["a", 1],
            "'a' at 0 is text and 1 at 1 is a number. Write all as text",
        ),
        (lambda: [1, True], "mixes types"),
        (lambda: ["a", float("nan")], "NaN once (at 1); where there is no answer"),
        (lambda: np.array([np.nan, 1.0]), "NaN once (at 0)"),
        pytest.param(
            lambda: pd.Series(["a", None], dtype="str"),
            "old holds NaN once",
            marks=pytest.mark.skipif(
                pd.__version__.startswith("2."), reason="None stays None before 3"
            ),
        ),
        (lambda: pd.Series([1, None, 1], dtype="Int64"), "old holds NaN once (at 1)"),
        (lambda: pa.array([1.0, float("nan")]), "NaN once (at 1)"),
        (lambda: np.zeros((2, 3)), "has shape (2, 3); one answer an example"),
        (lambda: np.zeros((2, 1)), "as in old.ravel()"),
        (lambda: np.array("a"), "give one answer an example, in a list"),
        (lambda: [["a"], ["b"]], "one value an example is compared"),
        (lambda: [b"a"], "b'a', a bytes; write it as text"),
        (lambda: ["\ud800"], "write all as text"),
        (lambda: [10**30], "no plain text or number (Python int too large"),
        (lambda: np.array([1j]), "as in old.astype(str)"),
        (lambda: pd.date_range("2026-01-01", periods=2), "as in str(value)"),
        (lambda: pa.array([[1], [2]]), "give texts, numbers, or true and false"),
        (lambda: pd.DataFrame({"y": [1]}), "choose one, as in table['y']"),
    ],
)
def test_what_could_be_paired_wrongly_is_refused_with_its_cure(
    values: Callable[[], object], cure: str
) -> None:
    with pytest.raises(CompatEvalError, match=re.escape(cure)):
        one_column(values(), "old")


@pytest.mark.parametrize(
    ("table", "cure"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "several columns 'a'"),
        (pd.DataFrame({"a": ["x", 1]}), "column 'a' mixes types"),
        (Streamed(pa.table([[1], [2]], names=["a", "a"])), "several columns 'a'"),
    ],
)
def test_a_table_whose_columns_cannot_be_told_is_refused(
    table: object, cure: str
) -> None:
    with pytest.raises(CompatEvalError, match=re.escape(cure)):
        from_memory(table, "old")


def test_what_only_claims_to_speak_arrow_is_refused() -> None:
    class Broken:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return requested_schema

    with pytest.raises(CompatEvalError, match="does not give its columns to Arrow"):
        from_memory(Broken(), "old")


def test_tensors_are_refused_by_the_package_of_their_type() -> None:
    tensor = type("Tensor", (), {"__module__": "torch"})()

    with pytest.raises(
        CompatEvalError, match=re.escape("torch Tensor; call .tolist()")
    ):
        from_memory(tensor, "gold")


def test_an_index_is_that_of_pandas_objects() -> None:
    assert index_of([1]) is None
    assert counts_rows(index_of(pd.Series([1, 2])))
    assert not counts_rows(index_of(pd.Series([1, 2], index=[1, 0])))
    assert not counts_rows(index_of(pd.Series([1, 2], index=["a", "b"])))


ANSWERS = pa.chunked_array([["b", "a", None]])
CHANCES = np.array([[0.2, 0.7, 0.1], [0.3, 0.6, 0.1], [0.5, 0.25, 0.25]])


def test_of_a_probability_a_class_that_of_the_answer_counts() -> None:
    found = probabilities(CHANCES, ANSWERS, ["a", "b", "c"], "old_scores")

    # q2 was answered with its second best: no lead.
    assert found["score"].to_pylist() == [0.7, 0.3, None]
    assert found["margin"].to_pylist() == [pytest.approx(0.5), 0.0, None]


def test_one_probability_an_answer_is_its_score() -> None:
    found = probabilities([0.7, 0.6, None], ANSWERS, None, "old_scores")

    assert {name: one.to_pylist() for name, one in found.items()} == {
        "score": [0.7, 0.6, None]
    }


@pytest.mark.parametrize(
    ("chances", "classes", "cure"),
    [
        (CHANCES, None, "classes=model.classes_"),
        (CHANCES, ["a", "b"], "name one class a column"),
        (CHANCES, ["x", "y", "z"], "the answer 'b' is none of the classes x, y, z"),
        (CHANCES[:2], ["a", "b", "c"], "2 rows, and there are 3 answers"),
        (CHANCES[:, :1], ["b"], "the answer 'a' is none of the classes b"),
    ],
)
def test_probabilities_of_other_classes_are_refused(
    chances: Any,
    classes: list[str] | None,
    cure: str,
) -> None:
    with pytest.raises(CompatEvalError, match=re.escape(cure)):
        probabilities(chances, ANSWERS, classes, "old_scores")
