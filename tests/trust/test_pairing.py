"""Rows without ids: a wrong order must not buy a PASS."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.trust.conftest import Command

N = 400
GOLD = ["yes" if i % 2 else "no" for i in range(N)]
Rows = list[dict[str, Any]]

OLD: Rows = [{"input": f"q{i}", "gold": g, "prediction": g} for i, g in enumerate(GOLD)]
NEW: Rows = [
    {**row, "prediction": "no" if i % 10 == 1 else row["prediction"]}
    for i, row in enumerate(OLD)
]


@pytest.fixture(autouse=True)
def gates(here: Path) -> None:
    (here / "g.yaml").write_text("gates: [{quantity: nfr, at_most: 0.02}]")


def write(name: str, rows: Rows, *left_out: str) -> Path:
    rows = [{k: v for k, v in row.items() if k not in left_out} for row in rows]
    path = Path(name)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def paired(compare: Command, old: Rows, new: Rows, by: str, *left_out: str) -> Any:
    sides = write("old.jsonl", old, *left_out), write("new.jsonl", new, *left_out)
    return compare(*sides, "--pair-by", by, "--gates", "g.yaml")


@pytest.mark.parametrize("by", ["row", "content"])
def test_what_breaks_is_found_without_ids(compare: Command, by: str) -> None:
    ended = paired(compare, OLD, NEW, by)

    assert ended.code == 1
    assert ended.counts() == [360, 40, 0, 0]


@pytest.mark.parametrize("left_out", [(), ("input",), ("gold",)])
def test_rows_in_another_order_are_refused(
    compare: Command, left_out: tuple[str, ...]
) -> None:
    further = ["--gold", write("gold.jsonl", OLD)] if left_out == ("gold",) else []
    sides = write("old.jsonl", OLD[::-1], *left_out), write("new.jsonl", NEW, *left_out)

    ended = compare(*sides, "--pair-by", "row", "--gates", "g.yaml", *further)

    assert ended.code == 4
    assert "not asked the same questions" in " ".join(ended.said.split())


def test_content_finds_rows_in_another_order(compare: Command) -> None:
    ended = paired(compare, OLD[::-1], NEW, "content")

    assert ended.counts() == [360, 40, 0, 0]


def test_nothing_passes_where_no_column_shows_that_the_order_is_right(
    compare: Command,
) -> None:
    gold = write("gold.jsonl", OLD)
    old = write("old.jsonl", OLD, "input", "gold")
    again = write("again.jsonl", [*OLD], "input", "gold")

    ended = compare(old, again, "--pair-by", "row", "--gold", gold, "--gates", "g.yaml")

    assert ended.code == 3
    assert "no column shows that it is right" in " ".join(ended.said.split())


def test_files_of_unequal_length_are_refused(compare: Command) -> None:
    ended = paired(compare, OLD, NEW[:-1], "row")

    assert ended.code == 4
    assert "new lacks 1 (row 400)" in " ".join(ended.said.split())


def test_nothing_passes_where_repeats_are_answered_in_several_ways(
    compare: Command,
) -> None:
    """Each repeat of a question might belong to either repeat on the other side."""
    same = {"input": "again", "gold": "yes"}
    old = [*OLD, {**same, "prediction": "yes"}, {**same, "prediction": "no"}]
    new = [*OLD, {**same, "prediction": "yes"}, {**same, "prediction": "no"}]

    ended = paired(compare, old, new, "content")

    assert ended.code == 3
    assert "1 questions stand several times" in " ".join(ended.said.split())


def test_rows_that_only_new_keeps_are_lacking(compare: Command) -> None:
    rows = [{**row, "id": str(i), "easy": i < 200} for i, row in enumerate(NEW)]
    sides = write("old.jsonl", rows), write("new.jsonl", rows)

    ended = compare(*sides, "--new-keep", "easy=true", "--gates", "g.yaml")

    assert ended.code == 4
    assert "new lacks 200" in " ".join(ended.said.split())


@pytest.mark.parametrize("nothing", ["", " ", None])
def test_rows_that_ask_nothing_are_no_pair(compare: Command, nothing: object) -> None:
    old = [{**row, "input": nothing} for row in OLD]

    ended = paired(compare, old, old[::-1], "content")

    assert ended.code == 2
    assert "input is empty" in " ".join(ended.said.split())
