"""Parsers from the command line: suites of trees, training, comparing, bad input."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from compat_eval.cli import main
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from tests.fakes import judged

pytestmark = pytest.mark.torch

SUITE = """\
name: trees
task: dependency
data:
  test: {file: test.conllu}
  train: [{file: a.conllu}, {file: b.conllu}]
  train-small: {file: a.conllu}
fields: {id: id, input: input, gold: gold}
"""
SETTINGS = """\
epochs: 1
min_count: 1
word_width: 8
hidden: 8
n_layers: 1
arc_width: 8
label_width: 8
"""
Call = Callable[..., tuple[int, str]]


def treebank(name: str, *trees: Sequence[tuple[str, str, int, str]]) -> Path:
    """Write sentences of (form, tag, head, relation)."""
    text = ""
    for number, tree in enumerate(trees):
        text += f"# sent_id = {Path(name).stem}-{number}\n"
        for at, (form, tag, head, deprel) in enumerate(tree, start=1):
            text += f"{at}\t{form}\t_\t{tag}\t_\t_\t{head}\t{deprel}\t_\t_\n"
        text += "\n"
    path = Path(name)
    path.write_text(text, "utf-8")
    return path


def chain(n: int, form: str = "w") -> list[tuple[str, str, int, str]]:
    return [(f"{form}{i}", "X", i, "root" if i == 0 else "dep") for i in range(n)]


GO = [("dogs", "NOUN", 2, "nsubj"), ("bark", "VERB", 0, "root")]
BIG = [
    ("big", "ADJ", 2, "amod"),
    ("dogs", "NOUN", 3, "nsubj"),
    *[("bark", "V", 0, "root")],
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMPAT_EVAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("COMPAT_EVAL_DATA", raising=False)
    Path("suite.yaml").write_text(SUITE)
    Path("tiny.yaml").write_text(SETTINGS)
    treebank("a.conllu", GO, GO, GO)
    treebank("b.conllu", BIG, chain(4))
    treebank("test.conllu", GO, BIG)
    return tmp_path


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Call:
    """Return a function that runs a command here: its exit code, and what it said."""

    def run(*arguments: object) -> tuple[int, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = "".join(capfd.readouterr())
        assert "Traceback" not in said
        assert isinstance(ended.value.code, int)
        return ended.value.code, said

    return run


def trained(call: Call, out: str, *more: str, model: str = "biaffine") -> str:
    settings = ("--config", "tiny.yaml", "--quiet", "--out", out)
    code, said = call("train", "suite.yaml", "--model", model, *settings, *more)
    assert code == 0, said
    return said


def compared(call: Call, *more: str) -> dict[str, Any]:
    models = ("compat:old", "compat:new", "--suite", "suite.yaml", "--out", "r")
    code, said = call("compare", *models, *more)
    assert code == 0, said
    return judged(json.loads(Path("r/comparison.json").read_bytes()))


@pytest.mark.parametrize("model", ["biaffine", "stack-pointer"])
def test_a_parser_is_trained_on_a_suite_and_scored_by_las(
    call: Call, model: str
) -> None:
    said = trained(call, "new", "--dev", "train-small", model=model)

    assert "dev LAS " in said
    assert " on 3 sentences" in said
    assert "\ncompat:new\n" in said


def test_models_of_other_relations_unknown_words_and_long_sentences_are_compared(
    call: Call,
) -> None:
    treebank("test.conllu", GO, BIG, chain(400, "unseen"), [("one", "X", 0, "root")])
    trained(call, "old", "--split", "train-small", "--dev", "none")
    trained(call, "new", "--dev", "none")

    task = compared(call, "--mitigate", "bcr:k=3")

    counts = {level: task["levels"][level]["counts"] for level in ("ucm", "las")}
    assert sum(counts["ucm"].values()) == 4
    assert sum(counts["las"].values()) == 2 + 3 + 400 + 1


@pytest.mark.parametrize(
    ("suite", "model", "message"),
    [
        ("suite.yaml", "tfidf", "choose biaffine or stack-pointer"),
        ("suite.yaml", "seq2seq", "learns semantic, and suite trees"),
        ("library-desk", "biaffine", "suite library-desk is of the task class"),
        ("library-desk-requests", "stack-pointer", "choose seq2seq"),
    ],
)
def test_a_model_of_another_task_is_refused(
    call: Call, suite: str, model: str, message: str
) -> None:
    code, said = call("train", suite, "--model", model, "--out", "m")

    assert code == 2
    assert message in said
    assert not Path("m").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1\ta\t_\tX\t_\t_\t1\tdep\t_\t_\n\n", "makes this no tree"),
        (b"1\ta\t_\tX\t_\t_\t0\troot\t_\t_\n", "it may be cut off"),
        (
            b"1\t\xe9\t_\tX\t_\t_\t0\troot\t_\t_\n\n",
            "sentence 1, line 1: expected UTF-8",
        ),
        (b"", "empty file"),
    ],
)
@pytest.mark.parametrize("command", ["train", "validate"])
def test_a_damaged_treebank_stops_every_command(
    call: Call, command: str, content: bytes, message: str
) -> None:
    Path("b.conllu").write_bytes(content)
    words = {
        "train": ("train", "suite.yaml", "--model", "biaffine", "--out", "m"),
        "validate": ("suites", "validate", "suite.yaml"),
    }

    code, said = call(*words[command])

    assert code == 2
    assert "b.conllu" in said
    assert message in said


def test_settings_that_make_no_sense_are_refused(call: Call) -> None:
    Path("tiny.yaml").write_text("epochs: 0\nwidth: 3\n")

    code, said = call(
        *("train", "suite.yaml", "--model", "biaffine", "--out", "m"),
        *("--config", "tiny.yaml"),
    )

    assert code == 2
    assert "epochs:" in said
    assert "width: Extra" in said


def test_another_tokenisation_is_aligned_and_counts_as_wrong_where_it_differs(
    call: Call,
) -> None:
    treebank("old.conllu", GO, BIG)
    treebank(
        "new.conllu", GO, [("bigdogs", "NOUN", 2, "nsubj"), ("bark", "V", 0, "root")]
    )
    for name in ("old", "new"):
        text = (
            Path(f"{name}.conllu")
            .read_text()
            .replace(f"sent_id = {name}-", "sent_id = test-")
        )
        Path(f"{name}.conllu").write_text(text)
    code, said = call(
        *("compare", "preds:old.conllu", "preds:new.conllu"),
        *("--suite", "suite.yaml", "--out", "r"),
    )

    assert code == 0, said
    levels = judged(json.loads(Path("r/comparison.json").read_bytes()))["levels"]
    assert levels["uas"]["counts"] == {"kept": 3, "broken": 2, "fixed": 0, "missed": 0}


def test_a_parse_with_a_cycle_is_told(call: Call) -> None:
    cyclic = [("dogs", "NOUN", 2, "nsubj"), ("bark", "VERB", 1, "root")]
    treebank("new.conllu", cyclic, BIG)

    code, said = call(
        *("compare", "preds:test.conllu", "preds:new.conllu"),
        *("--suite", "suite.yaml"),
    )

    assert code == 0
    assert "NEW: 1 answer is no tree with one root" in said


def test_bracketed_text_that_is_no_tree_is_wrong_not_fatal(call: Call) -> None:
    suite = load_suite("library-desk-requests")
    rows = load_examples(suite).table.select(["id", "gold"]).to_pylist()
    for name, cut in (("old", None), ("new", -1)):
        lines = [
            json.dumps({"id": row["id"], "prediction": row["gold"][:cut]})
            for row in rows
        ]
        Path(f"{name}.jsonl").write_text("\n".join(lines))

    code, said = call(
        *("compare", "preds:old.jsonl", "preds:new.jsonl"),
        *("--suite", suite.name, "--out", "r"),
    )

    assert code == 1, said
    levels = judged(json.loads(Path("r/comparison.json").read_bytes()))["levels"]
    for level in ("exact_match", "intent"):
        counts = {"kept": 0, "broken": len(rows), "fixed": 0, "missed": 0}
        assert levels[level]["counts"] == counts
