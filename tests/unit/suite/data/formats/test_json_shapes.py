from typing import Any

import pytest

from compat_eval.suite.data.formats.json_shapes import rows_of

ROWS = [{"id": "1", "gold": "a"}, {"id": "2", "gold": "b"}, {"id": "3", "gold": "a"}]


@pytest.mark.parametrize(
    "document",
    [
        ROWS,
        {"id": ["1", "2", "3"], "gold": ["a", "b", "a"]},
        {"id": {"0": "1", "1": "2", "2": "3"}, "gold": {"0": "a", "1": "b", "2": "a"}},
    ],
)
def test_rows_and_columns_hold_the_same(document: Any) -> None:
    assert rows_of(document) == ROWS


def test_keys_are_an_index_where_rows_have_no_id() -> None:
    rows = [{"index": "q1", "gold": "a"}, {"index": "q2", "gold": "b"}]

    assert rows_of({"q1": {"gold": "a"}, "q2": {"gold": "b"}}) == rows
    columns = {"gold": {"q1": "a", "q2": "b"}, "said": {"q1": "c", "q2": "d"}}
    assert rows_of(columns) == [
        {"index": "q1", "gold": "a", "said": "c"},
        {"index": "q2", "gold": "b", "said": "d"},
    ]


def test_texts_are_one_column() -> None:
    assert rows_of(["a", None, "b"]) == [{"0": "a"}, {"0": None}, {"0": "b"}]


@pytest.mark.parametrize(
    "document",
    [
        {"rows": [1, 2]},
        {"a": 1, "b": 2},
        {"a": [1, 2], "b": [1]},
        {"a": [{"x": 1}], "b": [{"x": 2}]},
        {"a": {"x": 1}, "b": {"y": 2}},
        {"a": {"x": {"z": 1}}, "b": {"x": {"z": 2}}},
        "text",
        None,
    ],
)
def test_other_documents_hold_no_rows(document: Any) -> None:
    assert rows_of(document) is None
