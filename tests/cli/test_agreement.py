"""Two files without gold: agreement and churn, said plainly, and no more."""

import json
from pathlib import Path

import pytest

from compat_eval import CompatEvalError, compare
from compat_eval.cli import main

IDS = [f"q{n}" for n in range(200)]


def write(path: str, changed: int, *, head: str = "id,prediction,region") -> None:
    rows = [
        f"{i},{'no' if n < changed else 'yes'},{'north' if n % 2 else 'south'}"
        for n, i in enumerate(IDS)
    ]
    Path(path).write_text("\n".join([head, *rows]))


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    write("old.csv", 0)
    write("new.csv", 10)


def ended(*words: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["compare", *words, "--out", "r", "--overwrite"])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def judged(gate: str, *words: str) -> int:
    Path("gates.yaml").write_text(f"gates: [{gate}]")
    return ended("old.csv", "new.csv", "--gates", "gates.yaml", *words)


def test_terminal_page_and_summary_say_that_there_is_no_gold(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ended("old.csv", "new.csv") == 0

    said = capsys.readouterr().out
    pages = [Path("r", name).read_text() for name in ("report.html", "summary.md")]
    for text in (said, *pages):
        assert "agreement only" in text
        assert "10 of 200 examples changed" in text
        for word in ("egative flip", "ccuracy", "broke,", "and 0 same"):
            assert word not in text
    level = json.loads(Path("r/comparison.json").read_text())["tasks"][0]["updates"][0]
    assert level["levels"]["example"]["counts"] == {"changed": 10, "same": 190}
    assert set(level["levels"]["example"]["statistics"]) == {"agreement", "churn"}


def test_a_run_is_verified_rendered_again_and_searched(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ended("old.csv", "new.csv") == 0

    for words in (("verify", "r"), ("report", "r"), ("diff", "r")):
        with pytest.raises(SystemExit) as caught:
            main(list(words))
        assert caught.value.code == 0
    assert "changed q0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("gate", "code"),
    [
        ("{quantity: churn, at_most: 0.2}", 0),
        ("{quantity: churn, at_most: 0.2, semantics: certify}", 0),
        ("{quantity: agreement, at_least: 0.8}", 0),
        ("{quantity: agreement, at_least: 0.95, semantics: certify}", 3),
        ("{quantity: churn, at_most: 0.01}", 1),
        ("{quantity: agreement, at_least: 0.99, semantics: detect}", 1),
        ("{quantity: churn, at_most: 0.3, slice: region=north}", 0),
    ],
)
def test_gates_on_churn_and_agreement_are_judged(gate: str, code: int) -> None:
    assert judged(gate) == code


@pytest.mark.parametrize(
    "gate",
    [
        "{quantity: nfr, at_most: 0.1}",
        "{quantity: accuracy_change, at_least: -0.1}",
        "{loss: {of: accuracy, at_most: 0.1}}",
        "{quantity: macro_f1_new, at_least: 0.5}",
    ],
)
def test_gates_that_need_gold_are_refused_with_the_reason(
    gate: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert judged(gate) == 2
    assert "needs gold, and there is none" in capsys.readouterr().err


def test_protected_examples_need_gold(capsys: pytest.CaptureFixture[str]) -> None:
    Path("gates.yaml").write_text("protected: {ids: [q1]}")

    assert ended("old.csv", "new.csv", "--gates", "gates.yaml") == 2
    assert "needs gold, and there is none" in capsys.readouterr().err


def test_answers_that_are_missing_count_as_changed() -> None:
    text = Path("new.csv").read_text().splitlines()
    Path("new.csv").write_text("\n".join(text[:-90]))

    assert ended("old.csv", "new.csv") == 4
    gate = "{quantity: churn, at_most: 0.4, semantics: detect}"
    assert judged(gate, "--on-missing", "bound") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("old.csv", "new.csv", "old.csv"),
        ("--old", "old.csv", "--new", "new.csv", "--new", "old.csv"),
    ],
)
def test_versions_and_training_runs_agree_or_not_too(words: tuple[str, ...]) -> None:
    assert ended(*words) == 0
    assert "Churn" in Path("r/summary.md").read_text()


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ("id,prediction,gold", 4),  # what only NEW says decides nothing
        ("id,prediction,correct", 2),
    ],
)
def test_gold_of_new_alone_is_refused_as_before(new: str, code: int) -> None:
    rows = [f"{i},yes,{'yes' if 'gold' in new else 1}" for i in IDS]
    Path("new.csv").write_text("\n".join([new, *rows]))

    assert ended("old.csv", "new.csv") == code


def test_a_column_that_looks_like_gold_is_proposed_before_it_is_passed_over(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for path, changed in (("old.csv", 0), ("new.csv", 10)):
        write(path, changed, head="id,prediction,label")

    assert ended("old.csv", "new.csv") == 2
    said = capsys.readouterr().err
    assert "--fields gold=label" in said
    assert "--task agreement" in said
    assert ended("old.csv", "new.csv", "--task", "agreement") == 0
    assert ended("old.csv", "new.csv", "--fields", "gold=absent") == 2


def test_a_gold_column_without_a_value_is_a_mistake() -> None:
    Path("old.csv").write_text(
        "\n".join(["id,prediction,gold", *[f"{i},yes," for i in IDS]])
    )

    assert ended("old.csv", "new.csv") == 2


def test_python_may_leave_gold_out_as_well() -> None:
    found = compare(["a", "b", "c"], ["a", "b", "d"], inputs=["x", "y", "z"])

    assert found.judged.levels["example"].counts == {"same": 2, "changed": 1}
    assert "agreement only" in found.notes[0]
    assert "agreement" in repr(found)
    with pytest.raises(CompatEvalError, match="needs gold"):
        compare(["a"], ["a"], gates=[{"quantity": "nfr", "at_most": 0.1}])
