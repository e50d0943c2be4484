"""Baselines, answers of `predict`, and sides without gold: no way to a wrong PASS."""

from pathlib import Path

import pytest

from tests.trust.conftest import Command

SUITE = """\
name: desk
version: "1"
task: classification
data: {test: {file: test.csv}}
fields: {id: id, input: text, gold: intent}
gates: [{quantity: nfr, at_most: 0.05}]
"""
IDS = [f"q{n}" for n in range(300)]
BOT = """
def load():
    return lambda texts: ["yes"] * len(texts)
"""


def answers(path: str, said: str, *, wrong: int = 0) -> None:
    """Write answers of which the last are wrong."""
    rows = [f"{i},{said if n < 300 - wrong else 'no'}" for n, i in enumerate(IDS)]
    Path(path).write_text("\n".join(["id,prediction", *rows]))


@pytest.fixture(autouse=True)
def _desk(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(here)
    Path("suite.yaml").write_text(SUITE)
    asked = [f"{i},question {i},yes" for i in IDS]
    Path("test.csv").write_text("\n".join(["id,text,intent", *asked]))
    Path("kept_bot.py").write_text(BOT)
    answers("old.csv", "yes")
    answers("bad.csv", "yes", wrong=60)


def test_a_baseline_that_was_edited_passes_nothing(
    command: Command, compare: Command
) -> None:
    save = ("baseline", "save", "prod", "old.csv", "--suite", "suite.yaml")
    assert command(*save).code == 0
    path = Path("baselines/prod.baseline")
    # Where OLD is wrong, nothing can break.
    path.write_text(path.read_text().replace('"q299", "prediction": "yes"', '"q299"'))

    ended = compare("baseline:prod", "bad.csv", "--suite", "suite.yaml")

    assert not ended.passed
    assert ended.code == 2


@pytest.mark.parametrize("verdict", ["fail", "none", "inconclusive"])
def test_only_a_pass_on_the_baseline_as_it_stands_is_promoted(
    verdict: str, command: Command, compare: Command
) -> None:
    save = ("baseline", "save", "prod", "old.csv", "--suite", "suite.yaml")
    assert command(*save).code == 0
    gate = {
        "fail": "{quantity: nfr, at_most: 0.05}",
        "none": "",
        "inconclusive": "{quantity: nfr, at_most: 0.2}",
    }[verdict]
    if gate:
        Path("gates.yaml").write_text(f"gates: [{gate}]")
        compare(
            *("baseline:prod", "bad.csv", "--suite", "suite.yaml"),
            *("--gates", "gates.yaml"),
        )
    else:
        Path("suite.yaml").write_text(SUITE.replace("gates:", "slices: {} #"))
        compare("baseline:prod", "bad.csv", "--suite", "suite.yaml")
    before = Path("baselines/prod.baseline").read_bytes()

    assert command("baseline", "promote", "prod", "r").code == 2
    assert Path("baselines/prod.baseline").read_bytes() == before


def test_a_run_with_files_changed_since_is_not_promoted(
    command: Command, compare: Command
) -> None:
    save = ("baseline", "save", "prod", "old.csv", "--suite", "suite.yaml")
    assert command(*save).code == 0
    assert compare("baseline:prod", "bad.csv", "--suite", "suite.yaml").code == 1
    path = Path("r/comparison.json")
    path.write_text(path.read_text().replace('"verdict": "fail"', '"verdict": "pass"'))

    assert command("baseline", "promote", "prod", "r").code == 2


def test_answers_of_predict_that_were_edited_pass_nothing(
    command: Command, compare: Command
) -> None:
    asked = ("--suite", "suite.yaml", "--out", "kept.jsonl")
    assert command("predict", "python:kept_bot:load", *asked).code == 0
    path = Path("kept.jsonl")
    path.write_text(path.read_text().replace('"yes"', '"no"'))

    assert not compare("kept.jsonl", "bad.csv", "--suite", "suite.yaml").passed


def test_answers_to_a_part_of_the_suite_pass_nothing(
    command: Command, compare: Command
) -> None:
    few = ("--suite", "suite.yaml", "--limit", "200", "--out", "few.jsonl")
    assert command("predict", "python:kept_bot:load", *few).code == 0

    assert compare("old.csv", "few.jsonl", "--suite", "suite.yaml").code == 4
    part = ("--suite", "suite.yaml", "--limit", "200")
    assert not compare("old.csv", "few.jsonl", *part).passed
    assert not compare("few.jsonl", "few.jsonl", "--suite", "suite.yaml").passed
    save = ("baseline", "save", "prod", "few.jsonl", "--suite", "suite.yaml")
    assert command(*save).code == 4


@pytest.mark.parametrize(
    "gates",
    [
        "gates: [{quantity: nfr, at_most: 0.9}]",
        "gates: [{quantity: churn, at_most: 0.9}, {quantity: nfr, at_most: 0.9}]",
        "gates: [{quantity: accuracy_new, at_least: 0.01}]",
        "gates: [{loss: {of: accuracy, at_most: 0.9}}]",
        "protected: {ids: [q1]}",
        "{gates: [{quantity: churn, at_most: 0.9}], protected: {ids: [q1]}}",
    ],
)
def test_nothing_that_needs_gold_passes_without_it(
    gates: str, compare: Command
) -> None:
    Path("gates.yaml").write_text(gates)

    assert compare("old.csv", "old.csv", "--gates", "gates.yaml").code == 2


def test_errors_and_missing_answers_do_not_agree(compare: Command) -> None:
    Path("gates.yaml").write_text("gates: [{quantity: churn, at_most: 0.05}]")
    rows = [f"{i},yes,{'out of memory' if n < 5 else ''}" for n, i in enumerate(IDS)]
    Path("new.csv").write_text("\n".join(["id,prediction,error", *rows]))
    few = Path("old.csv").read_text().splitlines()
    Path("few.csv").write_text("\n".join(few[:-60]))
    judged = ("--gates", "gates.yaml")

    assert compare("old.csv", "old.csv", *judged).passed
    assert not compare("old.csv", "new.csv", *judged).passed
    assert not compare("new.csv", "new.csv", *judged).passed
    assert not compare("old.csv", "few.csv", *judged).passed
    assert not compare("old.csv", "few.csv", *judged, "--on-missing", "bound").passed
    assert not compare("few.csv", "old.csv", *judged, "--on-missing", "bound").passed


def test_a_handful_of_answers_that_agree_prove_nothing(compare: Command) -> None:
    few = Path("old.csv").read_text().splitlines()
    Path("few.csv").write_text("\n".join(few[:6]))
    for gate in (
        "{quantity: churn, at_most: 0.05, semantics: certify}",
        "{quantity: agreement, at_least: 0.95}",
    ):
        Path("gates.yaml").write_text(f"gates: [{gate}]")
        assert compare("few.csv", "few.csv", "--gates", "gates.yaml").code == 3
