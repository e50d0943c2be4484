"""Gold answers that cannot be used are told with the file that they stand in."""

import json
from pathlib import Path

import pytest

from compat_eval.cli import main

TREES = ("[IN:A a ]", "[IN:B b", "b ]")
BROKEN = (
    "2 gold answers are no bracketed tree (2, 3), first '[IN:B b'; expected one such "
    "as [IN:STOP stop [SL:WHAT it ] ]"
)
SUITE = """
name: trees
version: "1"
task: semantic
data:
  test:
  - file: first.jsonl
  - file: gold.jsonl
fields: {input: input, gold: gold, id: id}
"""


def refused(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str]:
    with pytest.raises(SystemExit) as ended:
        main(["compare", *arguments, "--out", "r", "-q"])
    assert not Path("r").exists()
    return ended.value.code, " ".join(capfd.readouterr().err.split())


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    write("gold.jsonl", "gold")
    write("old.jsonl", "prediction")
    write("new.jsonl", "prediction")


def write(name: str, *keys: str) -> None:
    rows = [
        {"id": str(number), "input": "a", **dict.fromkeys(keys, tree)}
        for number, tree in enumerate(TREES, start=1)
    ]
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def test_a_gold_file_with_broken_trees_is_named(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code, said = refused(
        capfd, "old.jsonl", "new.jsonl", "--task", "semantic", "--gold", "gold.jsonl"
    )

    assert code == 2
    assert f"gold.jsonl: {BROKEN}" in said


def test_the_files_of_a_suite_are_named(capfd: pytest.CaptureFixture[str]) -> None:
    rows = '{"id": "0", "input": "a", "gold": "[IN:A a ]"}\n'
    Path("first.jsonl").write_text(rows, "utf-8")
    Path("suite.yaml").write_text(SUITE, "utf-8")

    code, said = refused(capfd, "old.jsonl", "new.jsonl", "--suite", "suite.yaml")

    assert code == 2
    assert f"suite trees, split test (first.jsonl, gold.jsonl): {BROKEN}" in said


@pytest.mark.parametrize(
    ("with_gold", "files"),
    [
        (["old.jsonl"], "old.jsonl"),
        (["old.jsonl", "new.jsonl"], "old.jsonl and new.jsonl"),
    ],
)
def test_prediction_files_that_bring_broken_gold_are_named(
    with_gold: list[str], files: str, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in with_gold:
        write(name, "prediction", "gold")

    code, said = refused(capfd, "old.jsonl", "new.jsonl", "--task", "semantic")

    assert code == 2
    assert f"{files}: {BROKEN}" in said


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ("aba", "1 id occurs more than once (a)"),
        ("abab", "2 ids occur more than once (a, b)"),
    ],
)
def test_sentence_names_given_twice_are_told_with_the_treebank(
    names: str, problem: str, capfd: pytest.CaptureFixture[str]
) -> None:
    word = "1\tGo\tgo\tVERB\t_\t_\t0\troot\t_\t_"
    text = "".join(f"# sent_id = {name}\n{word}\n\n" for name in names)
    Path("gold.conllu").write_text(text, "utf-8")

    code, said = refused(
        *(capfd, "gold.conllu", "gold.conllu", "--task", "dependency"),
        *("--gold", "gold.conllu"),
    )

    assert code == 4
    assert f"gold.conllu: {problem}; every example needs an id of its own" in said
