"""How logs begin, which grade counts, and what becomes a slice."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import UsageError
from compat_eval.readers.logs.rows import (
    asked_with_target,
    chosen,
    first_row,
    graded,
    inner,
    number,
    repeats,
    scorer_of,
    slices,
)


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ('{"a": 1}\n{"a": 2}\n', {"a": 1}),
        ('\ufeff [{"a": 1}, {"a": 2}]', {"a": 1}),
        ("[1, 2]", {}),
        ('{"a": ', {}),
        ("[" * 100_000, {}),
    ],
)
def test_the_first_row_is_the_first_object(
    tmp_path: Path, text: str, row: object
) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(text, encoding="utf-8")

    assert first_row(path) == row


def test_only_json_has_a_first_row(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(json.dumps({"a": 1}), encoding="utf-8")

    assert first_row(path) == {}
    assert first_row(tmp_path / "absent.json") == {}


def test_a_path_through_objects_may_end_early() -> None:
    assert inner({"a": {"b": 2}}, "a", "b") == 2
    assert inner({"a": [1]}, "a", "b") is None


@pytest.mark.parametrize(
    ("value", "found"),
    [(True, 1.0), ("0.5", 0.5), ("nan", None), (float("inf"), None), ([], None)],
)
def test_numbers_are_finite(value: object, found: float | None) -> None:
    assert number(value) == found


def test_grades_of_0_and_1_are_right_or_wrong_and_others_are_scores() -> None:
    assert graded([1.0, None, 0.0], "em") == {"correct": [True, None, False]}
    assert graded([1.0, 0.5], "f1") == {"score.f1": [1.0, 0.5]}


def test_answers_are_numbered_only_where_an_example_has_several() -> None:
    assert repeats(["a", "a"], [0, 1]) == {"repeat": [0, 1]}
    assert repeats(["a", "b"], [0, 0]) == {}


def test_the_only_grade_that_says_right_or_wrong_counts() -> None:
    values = {"em": [1.0, 0.0], "f1": [1.0, 0.5]}

    assert scorer_of(values, {}, shown="log") == "em"
    assert scorer_of(values, {"metric": "f1"}, shown="log") == "f1"
    assert scorer_of({"f1": [0.5]}, {}, shown="log") is None


def test_one_of_several_grades_is_chosen_by_the_user() -> None:
    values = {"em": [1.0], "exact": [0.0]}

    with pytest.raises(UsageError, match="em, exact") as told:
        scorer_of(values, {}, shown="log")
    assert told.value.cure == (("--fields", "correct=em"),)
    with pytest.raises(UsageError, match="no metric 'bleu'"):
        scorer_of(values, {"metric": "bleu"}, shown="log")


def test_gold_beside_scores_is_part_of_the_question() -> None:
    columns: dict[str, Sequence[Any]]
    columns = {"input": ["why?"], "gold": ["so"], "score.f1": [0.5]}

    found = asked_with_target(columns)

    assert "gold" not in found
    assert found["question"] == ["why?\n[target] so"]
    assert asked_with_target({**columns, "correct": [True]})["gold"] == ["so"]


def test_a_name_is_chosen_where_there_are_several() -> None:
    assert chosen("model", ["a", "a"], {}, what="models", shown="log") == "a"
    assert chosen("model", ["a", "b"], {"model": "b"}, what="", shown="log") == "b"
    with pytest.raises(UsageError, match="answers of 2 models") as told:
        chosen("model", ["a", "b"], {}, what="models", shown="log")
    assert told.value.cure == (("--keep", "model=a"),)


def test_few_short_values_are_slices_and_long_or_distinct_ones_are_not() -> None:
    facts = [
        {"region": region, "note": "x" * 41, "id": str(at)}
        for at, region in enumerate(["north", "south", "north"])
    ]

    assert slices(facts) == {"region": ["north", "south", "north"]}


def test_an_example_without_facts_is_in_no_slice() -> None:
    facts = [{"region": "north"}, None, {"region": "north"}]

    assert slices(facts) == {"region": ["north", None, "north"]}
