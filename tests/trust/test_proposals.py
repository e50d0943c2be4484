"""What the first error proposes is run as it stands, and counts what is right."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.trust.conftest import CASES, Command, Ended

FILES, PREDICTIONS = CASES / "files", CASES / "predictions"
SIX = [3, 1, 1, 1]
TICKETS = {"broken": 50, "fixed": 104}


def proposed(ended: Ended, code: int = 2) -> list[str]:
    """Return the arguments of the line that an error proposes."""
    assert ended.code == code, ended.said
    line = ended.said.splitlines()[-1]
    words = shlex.split(line)
    assert words[0] == "compat-eval", ended.said
    return words[1:]


def after_one_proposal(command: Command, *arguments: object) -> Ended:
    first = command("compare", *arguments, "--out", "r")
    assert "If that is right, run" in first.said
    return command(*proposed(first))


def sides(case: str) -> list[Path]:
    return sorted((PREDICTIONS / case).glob("old.*")) + sorted(
        (PREDICTIONS / case).glob("new.*")
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["both.csv"],
        ["both.csv", "both.csv"],
        ["p1.csv", "p2.csv", "--gold", "gold.csv"],
        ["q1.csv", "q2.csv", "--gold", "gold.csv"],
        ["noid1.csv", "noid2.csv"],
        ["pd1.csv", "pd2.csv"],
        ["ex1.csv", "ex2.csv"],
        ["noid1.csv", "noid2.csv", "--gold", "noid1.csv"],
        ["pd1.csv", "noid2.csv"],
    ],
    ids=" ".join,
)
def test_a_users_files_are_counted_with_the_line_that_the_first_error_proposes(
    command: Command, arguments: list[str]
) -> None:
    places = [str(FILES / a) if a.endswith(".csv") else a for a in arguments]

    ended = after_one_proposal(command, *places)

    assert ended.code == 0, ended.said
    kept, broken, fixed, missed = ended.counts()
    assert (broken, fixed) == (50, 104)
    assert kept + broken + fixed + missed == 800


@pytest.mark.parametrize(
    "case",
    [
        "c09_header_spaces",
        "c21_semicolon",
        "c22_trailing_commas",
        "c25_index_only",
        "c27_results_wrapped_json",
        "c36_score_logit",
        "c39_nested_pred",
    ],
)
def test_a_small_case_is_counted_with_the_line_that_the_first_error_proposes(
    command: Command, case: str
) -> None:
    ended = after_one_proposal(command, *sides(case))

    assert ended.code == 0, ended.said
    assert ended.counts() == SIX


def test_all_missing_columns_are_told_at_once_in_the_files_own_names(
    command: Command,
) -> None:
    Path("old.csv").write_text("qid,response\n1,a\n2,b\n", "utf-8")
    Path("new.csv").write_text("uid,reply\n1,a\n2,a\n", "utf-8")
    Path("gold.csv").write_text("number,truth\n1,a\n2,b\n", "utf-8")

    ended = command("compare", "old.csv", "new.csv", "--gold", "gold.csv")

    for told in ("'qid', 'response'", "'uid', 'reply'", "'number', 'truth'"):
        assert told in ended.said
    assert command(*proposed(ended), "--out", "r").counts() == [1, 1, 0, 0]


CASE = [("t1", "a", "a", "a"), ("t2", "b", "b", "a"), ("t3", "a", "b", "a")]
CASE += [("t4", "b", "a", "a"), ("t5", "a", "a", "a"), ("t6", "b", "b", "b")]


@pytest.mark.parametrize(
    ("asked", "gold", "said"),
    [
        ("question", "answer", "prediction"),
        ("question", "answer", "model_answer"),
        ("prompt", "ground_truth", "completion"),
        ("query", "target", "output"),
        ("input", "expected_output", "output"),
        ("sentence", "label", "predicted_label"),
        ("text", "y_true", "y_pred"),
        ("utterance", "true_intent", "pred_intent"),
        ("doc.question", "doc.answer", "resps.0"),
        ("messages", "ideal", "gpt4_response"),
        ("text", "gold", "colour"),
        ("Question", "Expected Answer", "Model Response"),
        ("text", "label, as given", "output"),
    ],
)
def test_columns_are_guessed_by_their_names(
    command: Command, asked: str, gold: str, said: str
) -> None:
    """Kept t1, t5, t6; broken t2; fixed t3; missed t4."""
    for side, at in (("old", 2), ("new", 3)):
        rows: list[dict[str, Any]] = []
        for case in CASE:
            row: dict[str, Any] = {"example_id": case[0]}
            for name, value in ((asked, f"what is {case[0]}?"), (gold, case[1])):
                _put(row, name, value)
            _put(row, said, case[at])
            rows.append(row)
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        Path(f"{side}.jsonl").write_text(lines, "utf-8")

    ended = after_one_proposal(command, "old.jsonl", "new.jsonl")

    assert ended.counts() == [3, 1, 1, 1], ended.said


def _put(row: dict[str, Any], path: str, value: str) -> None:
    first, _, rest = path.partition(".")
    if not rest:
        row[first] = value
    elif rest.isdecimal():
        row[first] = [value, "other"]
    else:
        row.setdefault(first, {})[rest] = value


def test_a_mistyped_column_is_told_with_the_one_that_is_meant(
    command: Command,
) -> None:
    old, new = FILES / "pd1.csv", FILES / "pd2.csv"

    ended = command("compare", old, new, "--fields", "id=0,gold=lable", "--out", "r")

    assert "there is no column 'lable'; probably 'label'" in ended.said
    assert command(*proposed(ended)).counts()[1:3] == [50, 104]


def test_nothing_is_proposed_where_nothing_can_be_guessed(command: Command) -> None:
    Path("old.csv").write_text("a,b\n1,2\n", "utf-8")
    Path("new.csv").write_text("a,b\n1,3\n", "utf-8")

    ended = command("compare", "old.csv", "new.csv")

    assert ended.code == 2
    assert "--fields prediction=COLUMN" in ended.said


def test_a_question_that_differs_between_the_sides_is_no_answer(
    command: Command,
) -> None:
    """Both columns are called alike; only one of them is the same in both files."""
    old = "id,label_1,label_2\n1,a,a\n2,b,b\n3,a,b\n4,b,b\n"
    new = "id,label_1,label_2\n1,a,a\n2,b,a\n3,a,a\n4,b,b\n"
    Path("old.csv").write_text(old, "utf-8")
    Path("new.csv").write_text(new, "utf-8")

    ended = after_one_proposal(command, "old.csv", "new.csv")

    assert ended.counts() == [2, 1, 1, 0]


def test_a_column_that_describes_the_answer_is_left_out_by_the_proposal(
    command: Command,
) -> None:
    ended = after_a_cure(command, *sides("c32_slice_differs"))

    assert ended.counts() == SIX


def test_own_grades_that_contradict_gold_are_left_out_by_the_proposal(
    command: Command,
) -> None:
    ended = after_a_cure(command, *sides("c30_correct_and_gold_disagree"))

    assert ended.counts() == SIX


def test_one_of_several_filters_of_a_log_is_chosen_by_the_proposal(
    command: Command,
) -> None:
    folder = PREDICTIONS / "c44_lm_eval"
    logs = [folder / f"{side}_samples_tiny_gen.jsonl" for side in ("old", "new")]

    first = command("compare", *logs, "--out", "r")

    assert proposed(first, code=2)[-2:] == ["--keep", "filter=flexible-extract"]


def after_a_cure(command: Command, *arguments: object) -> Ended:
    first = command("compare", *arguments, "--out", "r")
    return command(*proposed(first, code=first.code))


def _by_id(ids: list[str], said: list[str]) -> dict[str, dict[str, str]]:
    return {i: {"answer": text} for i, text in zip(ids, said, strict=True)}


@pytest.mark.parametrize("shape", ["outputs", "deeper", "by id", "columns", "texts"])
def test_answers_in_json_of_any_shape_are_counted(command: Command, shape: str) -> None:
    ids, gold = [case[0] for case in CASE], [case[1] for case in CASE]
    for at, side in ((2, "old"), (3, "new")):
        said = [case[at] for case in CASE]
        document = {
            "outputs": {"outputs": said, "model": "m"},
            "deeper": {"run": {"outputs": said}, "ids": ids[:1]},
            "by id": _by_id(ids, said),
            "columns": {"qid": ids, "response": said},
            "texts": said,
        }[shape]
        Path(f"{side}.json").write_text(json.dumps(document), "utf-8")
    rows = [{"id": i, "gold": g} for i, g in zip(ids, gold, strict=True)]
    Path("gold.json").write_text(json.dumps(rows), "utf-8")

    ended = after_one_proposal(command, "old.json", "new.json", "--gold", "gold.json")

    assert ended.counts() == [3, 1, 1, 1], ended.said
