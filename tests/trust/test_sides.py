"""Whoever can edit NEW's file alone must not be able to buy a PASS."""

import html
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import CoverageError
from compat_eval.workflows.run import compare as in_python
from tests.fakes import judged
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
    assert "--gold FILE" in ended.said


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
    assert "--fields bucket=" in ended.said
    cured = compare(case / "old.jsonl", case / "new.jsonl", "--fields", "bucket=")
    assert cured.counts() == [3, 1, 1, 1]


@pytest.mark.parametrize("policy", ["old", "new", "own", "drop"])
@pytest.mark.parametrize("case", ["gold that calls its errors right", "another input"])
def test_a_policy_does_not_sell_a_pass(
    compare: Command, policy: str, case: str
) -> None:
    old, new = QUESTION[case]
    gold_counts = case.startswith("gold") or policy == "drop"

    ended = compare(
        *(write("old.jsonl", old), write("new.jsonl", new)),
        *("--gates", GATES, "--on-mismatch", policy),
    )

    assert ended.code == (3 if policy != "old" and gold_counts else 1)
    assert not ended.passed


@pytest.mark.parametrize("column", ["gold", "weight", "cluster", "vip"])
def test_taking_the_word_of_new_is_only_to_look(compare: Command, column: str) -> None:
    told: dict[str, Callable[[int], Any]]
    told = {"gold": answer, "weight": lambda i: 1e-9 if i % 2 else 1.0}
    told |= {name: lambda i: str(i % 2) for name in ("cluster", "vip")}
    new = [{**row, column: told[column](i)} for i, row in enumerate(BROKEN)]
    old = without(rows(), "gold") if column == "gold" else rows()

    ended = compare(
        *(write("old.jsonl", old), write("new.jsonl", new)),
        *("--gates", GATES, "--on-mismatch", "new"),
    )

    assert ended.code in (1, 3)
    assert not ended.passed


def graded(table: Rows, grade: Callable[[int], Any]) -> Rows:
    return [{**row, "correct": grade(i)} for i, row in enumerate(table)]


def test_further_questions_of_new_do_not_dilute_what_it_breaks(
    compare: Command, command: Command
) -> None:
    """NEW adds 8,400 rows that it has right: without a gold file nobody asked them."""
    old, new = write("o.jsonl", rows()), write("n.jsonl", [*BROKEN, *rows(9000)[600:]])

    ended = compare(old, new, "--gates", GATES, "--on-missing", "bound")

    assert ended.code == 1
    assert ended.counts() == [300, 8700, 0, 0]
    assert judged(ended.comparison())["coverage"]["neither"] == 8400
    assert command("verify", "r").code == 0


@pytest.mark.parametrize("policy", ["refuse", "own"])
def test_new_alone_does_not_grade_itself_even_where_it_is_trusted(
    compare: Command, policy: str
) -> None:
    old, new = (
        write("o.jsonl", rows()),
        write("n.jsonl", graded(BROKEN, lambda _: True)),
    )

    further = ("--trust-correct", "--on-mismatch", policy)
    ended = compare(old, new, "--gates", GATES, *further)

    assert ended.code == 3
    assert "new grades itself, and old is graded by gold" in said(ended)


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

    assert ended.code == 2
    assert "was changed after" in ended.said


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
    assert ended.comparison()["left_out"]["without_gold"] == 580
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


ILL = {
    "every answer of OLD an error": (
        rows(prediction=lambda _: None, error=lambda _: "OOM"),
        BROKEN,
    ),
    "every answer of OLD null": (rows(prediction=lambda _: None), BROKEN),
    "every answer of OLD an error beside its text": (
        rows(error=lambda _: "OOM"),
        BROKEN,
    ),
    "every answer of NEW an error": (
        rows(),
        rows(prediction=lambda _: None, error=lambda _: "OOM"),
    ),
    "every answer of NEW null": (rows(), rows(prediction=lambda _: None)),
}


@pytest.mark.parametrize(("old", "new"), ILL.values(), ids=ILL)
def test_a_side_without_any_answer_is_refused(
    compare: Command, old: Rows, new: Rows
) -> None:
    ended = compare(write("old.jsonl", old), write("new.jsonl", new), "--gates", GATES)

    assert ended.code == 2
    assert "gave no answer to any of 600 examples" in ended.said


@pytest.mark.parametrize("model", ["raising", "none", "nanscore", "recursion", "npint"])
def test_a_model_that_cannot_answer_never_passes(
    compare: Command, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    monkeypatch.syspath_prepend(str(TRUST))

    ended = compare(f"python:m1:{model}", "python:m1:new", "--suite", TRUST / "s.yaml")

    assert ended.code in (2, 3)
    assert not ended.passed


def one(i: int) -> str:
    return "a" if i % 2 else "b"


def other(i: int) -> str:
    return "b" if i % 2 else "a"


DOUBTFUL = {
    "OLD never right": (
        rows(gold=one, prediction=other),
        rows(gold=one, prediction=one),
    ),
    "neither side ever right": (
        rows(gold=one, prediction=other),
        rows(gold=one, prediction=other)[::-1],
    ),
    "one error of OLD": (
        rows(
            prediction=lambda i: None if i == 5 else "yes",
            error=lambda i: "timeout" if i == 5 else None,
        ),
        rows(),
    ),
    "one error of NEW": (
        rows(),
        rows(
            prediction=lambda i: None if i == 5 else "yes",
            error=lambda i: "timeout" if i == 5 else None,
        ),
    ),
    "OLD right once, NEW never": (
        rows(gold=one, prediction=lambda i: one(i) if i == 7 else other(i)),
        rows(gold=one, prediction=other),
    ),
}


@pytest.mark.parametrize(("old", "new"), DOUBTFUL.values(), ids=DOUBTFUL)
def test_a_side_in_doubt_never_passes(compare: Command, old: Rows, new: Rows) -> None:
    ended = compare(write("old.jsonl", old), write("new.jsonl", new), "--gates", GATES)

    assert ended.code == 3
    doubts = ended.comparison()["doubts"]
    assert doubts
    for output in (said(ended), text("summary.md"), text("report.html")):
        assert doubts[0] in output
    assert doubts[0] in text("junit.xml")
    assert compare_without_gates(compare) == "none"


def text(name: str) -> str:
    return html.unescape(Path("r", name).read_text("utf-8")).replace("\\", "")


def compare_without_gates(compare: Command) -> str:
    compare("old.jsonl", "new.jsonl")
    verdict: str = json.loads(Path("r/comparison.json").read_bytes())["verdict"]
    return verdict


def test_errors_of_old_are_named_and_never_count_as_fixed(
    compare: Command, command: Command
) -> None:
    """At the worst OLD had the 40 right: 160 + 40 kept, and none fixed."""
    case = CASES / "statistics"
    gates = Path("fixed.yaml")
    gates.write_text("gates: [{quantity: pfr, at_least: 0.1, semantics: certify}]\n")
    sides = (case / "er_old.csv", case / "er_new.csv", "--gates")

    by_default = compare(*sides, case / "bm.yaml")
    allowed = compare(*sides, case / "bm.yaml", "--max-errors", "0.2")
    fixed = compare(*sides, gates, "--max-errors", "0.2")

    assert by_default.code == 3
    assert "Errors in place of answers: 40 of old, 0 of new" in said(by_default)
    assert "40 of 200 answers of old are errors" in said(by_default)
    assert allowed.code == 0
    assert fixed.code == 3
    assert "only if old's errors count as wrong answers" in said(fixed)
    assert command("verify", "r").code == 0


def test_errors_of_old_are_no_proof_that_anything_broke(compare: Command) -> None:
    """NEW has 60 of OLD's 100 errors wrong: they may have broken, or been missed."""
    old = rows(
        prediction=lambda i: None if i < 100 else "yes",
        error=lambda i: "timeout" if i < 100 else None,
    )
    new = rows(prediction=lambda i: "no" if i < 60 else "yes")

    ended = compare(
        *(write("o.jsonl", old), write("n.jsonl", new)),
        *("--gates", GATES, "--max-errors", "0.5"),
    )

    assert ended.code == 3
    assert ended.counts() == [500, 0, 40, 60]


@pytest.mark.parametrize("rate", ["-0.1", "1", "2", "nan"])
def test_a_share_of_errors_is_a_fraction(compare: Command, rate: str) -> None:
    side = write("o.jsonl", rows())

    ended = compare(side, side, "--max-errors", rate)

    assert ended.code == 2
    assert "[0, 1)" in ended.said


def test_both_lack_the_same_examples(compare: Command) -> None:
    """OLD and NEW answer the same 300 of a gold file's 600; the rest may break."""
    case = CASES / "statistics"
    gold = write(
        "gold.jsonl",
        [{"id": f"e{i}", "gold": "a", "input": f"q{i}"} for i in range(600)],
    )
    sides = (case / "bm_old.csv", case / "bm_new.csv", "--gold", gold)

    refused = compare(*sides, "--gates", case / "bm.yaml")
    bounded = compare(*sides, "--gates", case / "bm.yaml", "--on-missing", "bound")

    assert refused.code == 4
    assert bounded.code == 1
    assert bounded.counts()[1] >= 300
    assert judged(bounded.comparison())["coverage"]["neither"] == 300


def test_a_bound_is_the_worst_for_each_gate(compare: Command, command: Command) -> None:
    """OLD lacks 200 of 1,000 that NEW has right."""
    case = CASES / "statistics"

    ended = compare(
        *(case / "om_old.csv", case / "om_new.csv"),
        *("--gold", case / "om_gold.csv", "--gates", case / "om.yaml"),
        *("--on-missing", "bound"),
    )

    assert ended.code == 1
    gates = ended.comparison()["gates"]
    values = {gate["quantity"]: gate["estimate"]["value"] for gate in gates}
    assert [gate["verdict"] for gate in gates] == ["fail"] * 4
    assert values["accuracy_old"] == 0.74
    assert values["relative_nfr"] == pytest.approx(1.351, abs=5e-4)
    assert values["pfr"] == 0.26
    assert values["churn"] == 0.3
    assert command("verify", "r").code == 0


NEVER_FEWER = {
    "a rate": "{quantity: nfr, at_most: 0.02}",
    "a rate, detected": "{quantity: nfr, at_most: 0.02, semantics: detect}",
    "the impact": "{quantity: nfi, at_most: 0.02}",
    "trust": "{quantity: btc, at_least: 0.98}",
    "the change": "{quantity: accuracy_change, at_least: -0.01}",
    "the relative change": "{loss: {of: accuracy, at_most: 0.01}, relative: true}",
    "a loss": "{loss: {of: accuracy, at_most: 0.01}}",
    "NEW's accuracy": "{quantity: accuracy_new, at_least: 0.9}",
    "a metric": "{loss: {of: macro_f1, at_most: 0.01}}",
    "the relative rate": "{quantity: relative_nfr, at_most: 1}",
    "a slice": "{quantity: nfr, at_most: 0.02, slice: vip=yes}",
}


@pytest.mark.parametrize("gate", NEVER_FEWER.values(), ids=NEVER_FEWER)
def test_what_new_leaves_out_buys_nothing(compare: Command, gate: str) -> None:
    """NEW leaves out the half that it would have wrong; OLD has 20 of 600 wrong."""
    old = rows(
        prediction=lambda i: "no" if i < 20 else "yes",
        vip=lambda i: "yes" if i % 2 else "no",
    )
    gates = Path("one.yaml")
    gates.write_text(f"gates: [{gate}]\n")

    ended = compare(
        *(write("o.jsonl", old), write("n.jsonl", without(BROKEN[::2], "gold"))),
        *("--gates", gates, "--on-missing", "bound"),
    )

    assert ended.code in (1, 3)
    assert not ended.passed


def test_protected_examples_without_an_answer_do_not_pass(compare: Command) -> None:
    """OLD's answer is an error where NEW is wrong: nobody knows whether it broke."""
    gates = Path("vip.yaml")
    gates.write_text("protected: {ids: ['3']}\n")
    old = rows(
        prediction=lambda i: None if i == 3 else "yes",
        error=lambda i: "timeout" if i == 3 else None,
    )
    new = rows(prediction=lambda i: "no" if i == 3 else "yes")
    wrong = rows(prediction=lambda i: "no" if i == 3 else "yes")
    sides = [write(f"{i}.jsonl", side) for i, side in enumerate((old, new, wrong))]

    error = compare(sides[0], sides[1], "--gates", gates, "--max-errors", "0.1")
    hopeless = compare(sides[2], sides[1], "--gates", gates)
    dropped = compare(
        sides[1],
        write("d.jsonl", rows(gold=lambda i: "no" if i == 3 else "yes")),
        *("--gates", gates, "--on-mismatch", "drop"),
    )

    assert (error.code, hopeless.code, dropped.code) == (3, 3, 2)
    assert "none could break" in said(hopeless)


def test_identical_sides_are_told(compare: Command) -> None:
    old = write("o.jsonl", rows())
    other = write("n.jsonl", rows()[::-1])

    same = notes(compare(old, old, "--gates", GATES))
    alike = notes(compare(old, other, "--gates", GATES))

    assert any("same content" in note for note in same)
    assert any("same answers to all 600 examples" in note for note in alike)


def test_the_same_holds_for_python() -> None:
    old = str(write("o.jsonl", rows()))
    bought = str(write("n.jsonl", rows(prediction=answer, gold=answer)))
    errors = str(write("e.jsonl", rows(error=lambda i: "x" if i == 3 else None)))

    with pytest.raises(CoverageError, match="gold differs for 300"):
        in_python(old, bought, gates=GATES)

    assert in_python(old, old, gates=GATES).verdict == "pass"
    assert in_python(old, errors, gates=GATES).verdict == "inconclusive"
    assert in_python(errors, old, gates=GATES).verdict == "inconclusive"


@pytest.mark.parametrize(
    "limited", ["loss: {of: ece, at_most: 0.05}", "quantity: ece_new, at_most: 0.2"]
)
def test_scores_that_new_leaves_out_buy_no_calibration(
    limited: str, compare: Command
) -> None:
    """NEW is sure of everything, wrong in a tenth, and gives no score to those."""
    old = rows(prediction=lambda i: "yes" if i % 10 else "no", score=lambda _: 0.9)
    new = [{**row, "score": None if row["prediction"] == "no" else 0.99} for row in old]
    gates = Path("ece.yaml")
    gates.write_text(f"gates: [{{{limited}}}]\n")

    ended = compare(write("o.jsonl", old), write("n.jsonl", new), "--gates", gates)

    assert ended.code == 3
    assert "needs the score of all: old lacks 0, new 60" in said(ended)


def test_calibration_of_two_perfect_examples_shows_nothing(compare: Command) -> None:
    """No variance is known, so that no loss could have been proven."""
    sure = rows(prediction=lambda _: "yes", gold=lambda _: "yes", score=lambda _: 1.0)
    gates = Path("ece.yaml")
    gates.write_text("gates: [{loss: {of: ece, at_most: 0.01}}]\n")

    ended = compare(
        write("o.jsonl", sure[:2]), write("n.jsonl", sure[:2]), "--gates", gates
    )

    assert ended.code == 3
    assert "cannot detect" in ended.comparison()["gates"][0]["reason"]


VACUOUS = [
    "{quantity: nfr, at_least: 0}",
    "{quantity: nfr, at_most: 1}",
    "{quantity: nfi, at_most: 1.0}",
    "{quantity: accuracy_new, at_least: 0.0}",
    "{quantity: btc, at_least: 0}",
    "{quantity: relative_nfr, at_least: 0}",
    "{quantity: accuracy_change, at_least: -1}",
    "{quantity: accuracy_change, at_least: -1, relative: true}",
    "{quantity: accuracy_change, at_most: 1}",
    "{loss: {of: accuracy, at_most: 1}}",
    "{loss: {of: accuracy, at_most: 1}, relative: true}",
]


@pytest.mark.parametrize("where", ["gates", "suite"])
@pytest.mark.parametrize("gate", VACUOUS)
def test_a_gate_that_nothing_can_break_is_refused(
    compare: Command, gate: str, where: str
) -> None:
    old, new = TRUST / "v_old.csv", write("n.jsonl", without(BROKEN, "gold"))
    written = f"gates:\n- {{quantity: nfr, at_most: 0.99}}\n- {gate}\n"
    suite = (TRUST / "s.yaml").read_text("utf-8").partition("gates:")[0]
    Path("g.yaml").write_text(written if where == "gates" else suite + written)
    shutil.copy(TRUST / "gold.csv", "gold.csv")

    ended = compare(old, new, f"--{where}", "g.yaml")

    assert ended.code == 2
    assert "is no demand" in ended.said
    assert f"g.yaml:{3 if where == 'gates' else 10}: gates[1]" in ended.said


NO_GATES = {
    "an empty list": "gates: []\n",
    "an empty section": "gates:\n",
    "no gates at all": "confidence: 0.9\n",
    "protected of nothing": "protected: {}\n",
    "protected lists of nothing": "protected: {ids: [], slices: []}\n",
}


@pytest.mark.parametrize("content", NO_GATES.values(), ids=NO_GATES)
def test_gates_that_demand_nothing_are_refused(compare: Command, content: str) -> None:
    old, new = write("o.jsonl", rows()), write("n.jsonl", BROKEN)
    Path("g.yaml").write_text(content)

    ended = compare(old, new, "--gates", "g.yaml")

    assert ended.code == 2
    assert "g.yaml:1" in ended.said


@pytest.mark.parametrize("kind", ["classification", "generation"])
def test_what_old_was_not_graded_for_is_not_seen_to_break(
    compare: Command, kind: str
) -> None:
    old = [{"id": f"x{i}", "correct": None if i < 40 else 1} for i in range(400)]
    new = [{"id": f"x{i}", "correct": int(i >= 40)} for i in range(400)]
    sides = write("old.jsonl", old), write("new.jsonl", new)
    Path("g.yaml").write_text("gates: [{quantity: nfr, at_most: 0.02}]\n")

    ended = compare(*sides, "--gates", "g.yaml", "--task", kind)

    assert ended.code == 3
    assert "no grade of 40 answers" in " ".join(ended.said.split())
    shutil.copytree("r", "kept")
    again = compare("run:kept#old", "run:kept#new", "--gates", "g.yaml", "--task", kind)
    assert again.code == 3


@pytest.mark.parametrize("further", ["", ",gold=gold"])
def test_gold_is_no_prediction(compare: Command, further: str) -> None:
    rows_of_one = [{"id": f"x{i}", "gold": "yn"[i % 2], "p": "y"} for i in range(400)]
    side = write("one.jsonl", rows_of_one)

    ended = compare(
        side,
        side,
        "--old-fields",
        "prediction=p",
        "--new-fields",
        f"prediction=gold{further}",
    )

    assert ended.code == 2
    assert "nothing could be wrong" in " ".join(ended.said.split())
