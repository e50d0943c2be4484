"""`baseline save|list|promote`: production's answers in version control."""

import json
from pathlib import Path

import pytest

from compat_eval.cli import main

SUITE = """\
name: desk
version: "1"
task: classification
data: {test: {file: test.csv}}
fields: {id: id, input: text, gold: intent}
gates: [{quantity: nfr, at_most: 0.1, semantics: detect}]
"""
IDS = [f"q{n}" for n in range(60)]


def answers(path: str, wrong: int, *, gold: bool = False) -> None:
    """Write answers of which the first are wrong."""
    rows = [f"{i},{'no' if n < wrong else 'yes'}" for n, i in enumerate(IDS)]
    head = "id,prediction,gold" if gold else "id,prediction"
    ending = ",yes" if gold else ""
    Path(path).write_text("\n".join([head, *(f"{row}{ending}" for row in rows)]))


def ended(*words: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(list(words))
    assert isinstance(caught.value.code, int)
    return caught.value.code


def compared(new: str, out: str, *words: str) -> int:
    words = ("--suite", "suite.yaml", "--out", out, "-q", *words)
    return ended("compare", "baseline:prod", new, *words)


def saved(source: str, *words: str) -> int:
    return ended("baseline", "save", "prod", source, *words)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("COMPAT_EVAL_BASELINES", raising=False)
    Path("suite.yaml").write_text(SUITE)
    asked = [f"{i},question {i},yes" for i in IDS]
    Path("test.csv").write_text("\n".join(["id,text,intent", *asked]))
    answers("old.csv", wrong=10)
    answers("new.csv", wrong=5)
    answers("bad.csv", wrong=50)


def test_ci_compares_new_with_what_is_committed() -> None:
    assert saved("old.csv", "--suite", "suite.yaml") == 0
    Path("old.csv").unlink()

    assert compared("new.csv", "good") == 0
    assert compared("bad.csv", "worse") == 1


def test_promotion_is_explicit_and_follows_a_pass(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert saved("old.csv", "--suite", "suite.yaml") == 0
    assert compared("new.csv", "good") == 0
    assert compared("bad.csv", "worse") == 1

    assert ended("baseline", "promote", "prod", "worse") == 2
    assert "its verdict is fail, not pass" in capsys.readouterr().err
    assert ended("baseline", "promote", "prod", "good") == 0
    assert ended("baseline", "promote", "prod", "good") == 2
    assert "is not the baseline as it stands now" in capsys.readouterr().err
    assert ended("baseline", "promote", "prod", "worse", "--force") == 0
    assert Path("baselines/prod.baseline").read_text().count('"no"') == 50


def test_the_same_answers_are_the_same_bytes() -> None:
    assert saved("old.csv", "--suite", "suite.yaml") == 0
    path = Path("baselines/prod.baseline")
    # Saved a year ago.
    path.write_text(path.read_text().replace('"saved": "20', '"saved": "19'))
    first = path.read_bytes()

    assert saved("old.csv", "--suite", "suite.yaml", "--overwrite") == 0
    assert path.read_bytes() == first
    assert saved("new.csv", "--suite", "suite.yaml", "--overwrite") == 0
    assert path.read_bytes() != first


def test_a_baseline_is_not_replaced_by_the_way(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert saved("old.csv", "--suite", "suite.yaml") == 0

    assert saved("new.csv", "--suite", "suite.yaml") == 2
    assert "baseline promote prod RUN" in capsys.readouterr().err


def test_a_run_is_saved_by_its_new_or_by_the_role_that_is_named() -> None:
    words = ("--suite", "suite.yaml", "--out", "run", "-q")
    assert ended("compare", "old.csv", "new.csv", *words) == 0

    assert saved("run") == 0
    assert ended("baseline", "save", "before", "run:run#old") == 0

    rows = {
        name: Path(f"baselines/{name}.baseline").read_text().count('"no"')
        for name in ("prod", "before")
    }
    assert rows == {"prod": 5, "before": 10}


def test_answers_without_a_suite_keep_the_gold_of_their_file() -> None:
    answers("old.csv", wrong=10, gold=True)
    assert saved("old.csv") == 0

    words = ("--out", "r", "-q", "--gates", "gates.yaml")
    Path("gates.yaml").write_text("gates: [{quantity: nfr, at_most: 0.1}]")
    assert ended("compare", "baseline:prod", "new.csv", *words) == 0
    assert ended("compare", "baselines/prod.baseline", "bad.csv", *words) == 2
    assert ended("compare", "baseline:prod", "bad.csv", *words, "--overwrite") == 1


@pytest.mark.parametrize(
    ("file", "was", "now", "said"),
    [
        ("suite.yaml", 'version: "1"', 'version: "2"', "version 1 and 2"),
        ("test.csv", "question q7,", "other q7,", "the inputs differ"),
        ("test.csv", "question q7,yes", "question q7,no", "the gold differ"),
    ],
)
def test_a_baseline_of_another_suite_is_refused(
    file: str, was: str, now: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert saved("old.csv", "--suite", "suite.yaml") == 0
    Path(file).write_text(Path(file).read_text().replace(was, now))

    assert compared("new.csv", "r") == 4
    assert said in capsys.readouterr().err


def test_a_file_that_asks_something_else_than_a_baseline_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [f"q{n},yes,yes,what {n}" for n in range(20)]
    text = "\n".join(["id,prediction,gold,input", *rows])
    Path("old.csv").write_text(text)
    Path("new.csv").write_text(text.replace("what 7", "other 7"))
    assert saved("old.csv") == 0
    words = ("compare", "baseline:prod", "new.csv", "-q", "--out")

    assert ended("compare", "baseline:prod", "old.csv", "--out", "same", "-q") == 0
    assert ended(*words, "r") == 4
    assert "the inputs differ" in capsys.readouterr().err
    assert ended(*words, "kept", "--on-mismatch", "old") == 0


def test_answers_are_kept_for_a_suite_whose_version_alone_is_new() -> None:
    assert saved("old.csv", "--suite", "suite.yaml") == 0
    Path("suite.yaml").write_text(SUITE.replace('version: "1"', 'version: "2"'))
    again = ("--suite", "suite.yaml", "--overwrite")

    assert saved("baseline:prod", *again) == 0
    assert compared("new.csv", "r") == 0
    text = Path("test.csv").read_text()
    Path("test.csv").write_text(text.replace("question q7", "other q7"))
    assert saved("baseline:prod", *again) == 4


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("../prod", "old.csv"), 2, "name is of letters"),
        (("prod", "absent.csv"), 2, "no such file"),
        (("prod", "old.csv", "--suite", "absent.yaml"), 2, "no suite"),
        (("prod", "few.csv", "--suite", "suite.yaml"), 4, "a baseline answers all"),
        (("prod", "none.csv"), 2, "gave no answer"),
        (("prod", "python:bot:load", "--suite", "suite.yaml"), 2, "is a model"),
    ],
)
def test_what_cannot_be_a_baseline_is_refused(
    words: tuple[str, ...], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("few.csv").write_text("id,prediction\nq1,yes\n")
    Path("none.csv").write_text("id,prediction,gold\nq1,,yes\nq2,,yes\n")

    assert ended("baseline", "save", *words) == code
    assert said in capsys.readouterr().err
    assert not Path("baselines").exists()


def test_a_baseline_that_is_missing_or_was_changed_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert compared("new.csv", "r") == 2
    assert "no such baseline; there is none" in capsys.readouterr().err
    assert saved("old.csv", "--suite", "suite.yaml") == 0
    path = Path("baselines/prod.baseline")
    whole = path.read_text()

    for damaged in (whole.replace('"no"', '"yes"'), whole[:-40], "", "{}", "\x00"):
        path.write_text(damaged)
        assert compared("new.csv", "r") == 2


def test_a_list_says_what_is_stale(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("baseline", "list") == 0
    assert "no baselines" in capsys.readouterr().out
    assert saved("old.csv", "--suite", "suite.yaml") == 0
    path = Path("baselines/prod.baseline")
    path.write_text(path.read_text().replace('"saved": "20', '"saved": "19'))
    Path("baselines/other.baseline").write_text("{")

    assert ended("baseline", "list") == 0
    said = capsys.readouterr().out
    assert "desk 1 test" in said
    assert "older than 90 days" in said
    assert "damaged" in said
    assert ended("baseline", "list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == ["other", "prod"]


def test_answers_that_are_old_are_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert saved("old.csv", "--suite", "suite.yaml") == 0
    assert compared("new.csv", "young") == 0
    assert "warning" not in capsys.readouterr().err
    path = Path("baselines/prod.baseline")
    path.write_text(path.read_text().replace('"saved": "20', '"saved": "19'))

    assert compared("new.csv", "old") == 0
    assert "is that model still in production?" in capsys.readouterr().err
