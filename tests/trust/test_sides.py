"""Whoever can edit NEW's file alone must not be able to buy a PASS."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.trust.conftest import CASES, Command, Ended

TRUST = CASES / "trust"
GATES = TRUST / "g.yaml"

Rows = list[dict[str, Any]]


def rows(n: int = 600, **columns: Callable[[int], Any]) -> Rows:
    """Return `n` answers, all right; `columns` set others by number."""
    plain: dict[str, Callable[[int], Any]]
    plain = {"id": str, "gold": lambda _: "yes", "prediction": lambda _: "yes"}
    made = {**plain, **columns}
    return [{name: value(i) for name, value in made.items()} for i in range(n)]


def without(table: Rows, *columns: str) -> Rows:
    return [{k: v for k, v in row.items() if k not in columns} for row in table]


def answer(i: int) -> str:
    """Return a NEW that breaks half of what works: no gate may pass it."""
    return "no" if i % 2 else "yes"


def write(name: str, table: Rows) -> Path:
    path = Path(name)
    path.write_text("".join(json.dumps(row) + "\n" for row in table), "utf-8")
    return path


BROKEN = rows(prediction=answer)

QUESTION = {
    "gold that calls its errors right": (
        rows(),
        rows(prediction=answer, gold=answer),
    ),
    "gold that is null where it errs": (
        rows(),
        rows(prediction=answer, gold=lambda i: None if i % 2 else "yes"),
    ),
    "gold where OLD has none": (
        without(rows(), "gold"),
        rows(prediction=answer, gold=answer),
    ),
    "gold where OLD's is null": (
        rows(gold=lambda _: None),
        rows(prediction=answer, gold=answer),
    ),
    "weights that drown its errors": (
        rows(),
        rows(prediction=answer, weight=lambda i: 1e-9 if i % 2 else 1.0),
    ),
    "weights other than OLD's": (
        rows(weight=lambda _: 1.0),
        rows(prediction=answer, weight=lambda i: 1e-9 if i % 2 else 1.0),
    ),
    "clusters that OLD does not have": (
        rows(),
        rows(prediction=answer, cluster=lambda i: "all" if i % 2 else str(i)),
    ),
    "clusters other than OLD's": (
        rows(cluster=lambda i: str(i // 2)),
        rows(prediction=answer, cluster=lambda i: "all" if i % 2 else str(i)),
    ),
    "another input": (
        rows(input=str),
        rows(prediction=answer, input=lambda i: "easy" if i % 2 else str(i)),
    ),
    "slices other than OLD's": (
        rows(vip=lambda i: "yes" if i % 3 else "no"),
        rows(prediction=answer, vip=lambda i: "no" if i % 2 else "yes"),
    ),
    "a null slice where it errs": (
        rows(vip=lambda i: "yes" if i % 3 else "no"),
        rows(prediction=answer, vip=lambda i: None if i % 2 else "yes"),
    ),
    "only the rows that it has right": (rows(), BROKEN[::2]),
    "further rows that nobody asked": (rows(), [*BROKEN, *rows(9000)[600:]]),
    "a row twice": (rows(), [*BROKEN, BROKEN[0]]),
}


@pytest.mark.parametrize(("old", "new"), QUESTION.values(), ids=QUESTION)
def test_what_new_says_of_the_question_is_reconciled(
    compare: Command, old: Rows, new: Rows
) -> None:
    ended = compare(write("old.jsonl", old), write("new.jsonl", new), "--gates", GATES)

    assert ended.code == 4
    assert not ended.passed


def test_a_protected_slice_of_the_judged_file_is_refused(compare: Command) -> None:
    ended = compare(
        TRUST / "v_old.csv", TRUST / "v_new.csv", "--gates", TRUST / "gvip.yaml"
    )

    assert ended.code == 4
    assert "vip" in ended.said
    assert "--on-mismatch new" in ended.said


def test_weights_are_reconciled_like_gold(compare: Command) -> None:
    ended = compare(TRUST / "w0_old.csv", TRUST / "w_new.csv", "--gates", GATES)

    assert ended.code == 4
    assert "weight" in ended.said


def test_columns_that_name_the_side_are_no_question(compare: Command) -> None:
    """model=v1 against model=v2 is no disagreement; a slice that differs is."""
    old, new = rows(model=lambda _: "v1"), rows(model=lambda _: "v2")

    ended = compare(write("o.jsonl", old), write("n.jsonl", new), "--gates", GATES)

    assert ended.passed
    assert "are no slices: model" in ended.said


def test_slices_that_differ_are_refused_like_gold(compare: Command) -> None:
    case = CASES / "predictions" / "c32_slice_differs"

    ended = compare(case / "old.jsonl", case / "new.jsonl")

    assert ended.code == 4
    assert "bucket differs for 6" in ended.said


@pytest.mark.parametrize("policy", ["old", "drop"])
@pytest.mark.parametrize("case", ["gold that calls its errors right", "another input"])
def test_a_policy_does_not_sell_a_pass(
    compare: Command, policy: str, case: str
) -> None:
    old, new = QUESTION[case]

    ended = compare(
        *(write("old.jsonl", old), write("new.jsonl", new)),
        *("--gates", GATES, "--on-mismatch", policy),
    )

    assert ended.code == (3 if policy == "drop" else 1)
    assert not ended.passed


def graded(table: Rows, grade: Callable[[int], Any]) -> Rows:
    return [{**row, "correct": grade(i)} for i, row in enumerate(table)]


GRADES = {
    "its own grades beside gold": (rows(), graded(BROKEN, lambda _: True)),
    "its own grades, no predictions": (
        rows(),
        without(graded(BROKEN, lambda _: True), "prediction", "gold"),
    ),
    "its own grades and empty predictions": (
        rows(),
        graded(rows(prediction=lambda _: None), lambda _: True),
    ),
    "its own grades at a named level": (
        rows(),
        [{**row, "correct.example": True} for row in BROKEN],
    ),
    "its own grades against sound ones of OLD": (
        graded(rows(), lambda _: True),
        graded(BROKEN, lambda _: True),
    ),
}


@pytest.mark.parametrize(("old", "new"), GRADES.values(), ids=GRADES)
def test_the_task_grades_where_gold_is_known(
    compare: Command, old: Rows, new: Rows
) -> None:
    ended = compare(write("old.jsonl", old), write("new.jsonl", new), "--gates", GATES)

    assert ended.code == 2
    assert "--trust-correct" in ended.said


def test_a_suite_grades_too(compare: Command) -> None:
    ended = compare(
        *(TRUST / "sp_old.csv", TRUST / "sp_new_corr.csv"),
        *("--suite", TRUST / "s.yaml"),
    )

    assert ended.code == 2
    assert "contradicts gold for 600 of 600" in ended.said


def test_trusted_grades_are_noted_with_their_count(compare: Command) -> None:
    case = CASES / "predictions" / "c30_correct_and_gold_disagree"

    refused = compare(case / "old.csv", case / "new.csv")
    trusted = compare(case / "old.csv", case / "new.csv", "--trust-correct")

    assert refused.code == 2
    assert "contradicts gold for 4 of 6" in refused.said
    assert trusted.counts() == [0, 0, 0, 6]
    assert any("contradicts gold for 4 examples" in n for n in notes(trusted))


def test_grades_without_gold_are_believed_aloud(compare: Command) -> None:
    old = without(graded(rows(), lambda _: True), "gold")

    ended = compare(write("o.jsonl", old), write("n.jsonl", old), "--gates", GATES)

    assert ended.passed
    assert any("no gold" in note and "'correct'" in note for note in notes(ended))


def test_an_edited_run_does_not_grade_itself(compare: Command) -> None:
    """Grades in a run's tables are made again from its gold and predictions."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    write("old.jsonl", rows())
    compare("old.jsonl", write("new.jsonl", BROKEN))
    Path("r").rename("first")
    table = pq.read_table("first/predictions/new.parquet")
    at = table.column_names.index("correct.example")
    edited = table.set_column(at, "correct.example", pa.array([True] * 600))
    pq.write_table(edited, "first/predictions/new.parquet")

    ended = compare("old.jsonl", "run:first#new", "--gates", GATES)

    assert ended.code == 1
    assert ended.counts() == [300, 300, 0, 0]


def said(ended: Ended) -> str:
    """Return what a terminal showed, without the lines of its frames."""
    return " ".join(ended.said.replace("│", " ").split())


def notes(ended: Ended) -> list[str]:
    found: list[str] = ended.comparison()["notes"]
    return found


def test_examples_without_gold_are_left_out_and_counted(compare: Command) -> None:
    ended = compare(
        TRUST / "nullgold_old.csv", TRUST / "nullgold_new.csv", "--gates", GATES
    )

    assert ended.code == 1
    assert ended.counts() == [15, 5, 0, 0]
    assert ended.comparison()["coverage"]["without_gold"] == 580
    assert any("580 of 600 examples have no gold" in note for note in notes(ended))


@pytest.mark.parametrize("how", ["files", "gold file", "semantic"])
def test_every_kind_leaves_out_what_has_no_gold(compare: Command, how: str) -> None:
    tree = "[IN:STOP stop ]" if how == "semantic" else "yes"
    old = rows(40, gold=lambda i: tree if i % 4 else None, prediction=lambda _: tree)
    new = without(old, "gold")
    gold = write("gold.jsonl", without(old, "prediction"))
    further = {
        "files": (),
        "gold file": ("--gold", gold),
        "semantic": ("--gold", gold, "--task", "semantic"),
    }

    ended = compare(write("o.jsonl", old), write("n.jsonl", new), *further[how])

    assert ended.code == 0
    level = "exact_match" if how == "semantic" else "example"
    assert ended.counts(level) == [30, 0, 0, 0]


def test_without_any_gold_there_is_nothing_to_judge(compare: Command) -> None:
    old = rows(gold=lambda _: None)

    ended = compare(write("o.jsonl", old), write("n.jsonl", old), "--gates", GATES)

    assert ended.code == 2


def test_protected_examples_that_were_left_out_do_not_pass(compare: Command) -> None:
    old = rows(
        gold=lambda i: None if i == 3 else "yes", vip=lambda i: "yes" if i < 9 else "no"
    )
    gates = Path("vip.yaml")
    gates.write_text("protected: {slices: [vip=yes]}\n")

    ended = compare(write("o.jsonl", old), write("n.jsonl", old), "--gates", gates)

    assert ended.code == 3
    assert "1 protected examples of vip=yes were left out (3)" in said(ended)
