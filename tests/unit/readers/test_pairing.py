from typing import Any

import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.recorded import Request
from compat_eval.readers.pairing import identified, identified_gold

ASKED = Examples(pa.table({"id": ["q1", "q2"], "input": ["hello", "bye"]}))


def ids(table: dict[str, list[Any]], pair_by: Any, **request: Any) -> list[str]:
    found = identified(pa.table(table), Request(name="f", pair_by=pair_by, **request))
    ids: list[str] = found["id"].to_pylist()
    return ids


def test_rows_are_named_by_their_place() -> None:
    assert ids({"id": ["z", "y"]}, "row") == ["row 1", "row 2"]


def test_rows_take_the_ids_of_the_questions_at_their_place() -> None:
    found = ids({"prediction": ["a", "b", "c"]}, "row", examples=ASKED)

    assert found == ["q1", "q2", "row 3"]


def test_the_same_content_has_the_same_name_wherever_it_stands() -> None:
    one = ids({"input": ["hello", "bye", "hello"], "gold": ["a", "b", "a"]}, "content")
    other = ids({"input": ["bye", "hello"], "gold": ["b", "a"]}, "content")

    assert one[:2] == other[::-1]
    assert one[2] == f"{one[0]} #2"


def test_another_gold_answer_makes_another_example() -> None:
    first, second = ids({"input": ["hello"] * 2, "gold": ["a", "b"]}, "content")

    assert first.partition(" ")[0] != second.partition(" ")[0]


def test_rows_take_the_ids_of_the_questions_of_their_input() -> None:
    found = ids(
        {"input": ["bye", "what", "hello"], "gold": ["x", "y", "z"]},
        "content",
        examples=ASKED,
    )

    assert (found[0], found[2]) == ("q2", "q1")
    assert found[1] not in {"q1", "q2"}


def test_repeats_that_have_numbers_are_of_one_example() -> None:
    one, other = ids({"input": ["hello"] * 2, "repeat": [0, 1]}, "content")

    assert one == other


def test_content_needs_an_input() -> None:
    with pytest.raises(UsageError, match="--fields input=COLUMN"):
        ids({"gold": ["a"]}, "content")


def test_ids_are_needed_where_they_pair() -> None:
    with pytest.raises(DataError, match="no column 'id'"):
        ids({"gold": ["a"]}, "id")


def test_a_gold_file_keeps_its_own_ids() -> None:
    table = pa.table({"id": ["q1"], "input": ["hello"], "gold": ["a"]})

    own = identified_gold(table, Request(name="gold", pair_by="content"))
    none = identified_gold(
        table.drop_columns("id"), Request(name="g", pair_by="content")
    )

    assert own["id"].to_pylist() == ["q1"]
    assert none["id"].to_pylist() == ids({"input": ["hello"]}, "content")
