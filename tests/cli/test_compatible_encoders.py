"""`compare --mitigate` of recipes that train encoders, on an index that stays."""

import json
from pathlib import Path
from typing import Any

import pytest

from compat_eval.cli import main
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite

pytest.importorskip("ir_measures")
pytest.importorskip("torch")
pytestmark = pytest.mark.torch

SMALL = """\
n_buckets: 300
width: 8
channels: 12
epochs: 2
batch_size: 30
learning_rate: 0.01
"""
SUITE = """\
name: desk-by-label
version: "1"
task: retrieval
data:
  test: {file: test.jsonl}
  train: {file: train.jsonl}
corpus: {split: same, match: label}
fields: {id: id, input: input, gold: gold}
"""
TRAIN = ("train", "library-desk", "--model", "text-cnn", "--config", "small.yaml")


def ended(*words: str) -> object:
    with pytest.raises(SystemExit) as caught:
        main(list(words))
    return caught.value.code


@pytest.fixture(autouse=True)
def _encoders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OLD of six dimensions and NEW of seven, and a suite of label matches."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMPAT_EVAL_CACHE", str(tmp_path / "cache"))
    Path("suite.yaml").write_text(SUITE, "utf-8")
    for split in ("test", "train"):
        table = load_examples(load_suite("library-desk"), split).with_gold().table
        rows = table.select(["id", "input", "gold"]).to_pylist()
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        Path(f"{split}.jsonl").write_text(lines, "utf-8")
    for name, split, width in (("old", "train-small", 6), ("new", "train", 7)):
        Path("small.yaml").write_text(f"{SMALL}projection: {width}\n", "utf-8")
        made = (*TRAIN, "--split", split, "--dev", "none", "--out", name, "-q")
        assert ended(*made) == 0


def compared(*words: str) -> object:
    return ended(
        "compare", "old", "new", "--suite", "suite.yaml", "--out", "r", "-q", *words
    )


def test_trained_encoders_are_roles_on_the_index_that_stays() -> None:
    methods = ("bct", "lambda-orthogonal:lam=1,epochs=1", "fct:epochs=1,hidden=8")
    words = [part for one in methods for part in ("--mitigate", one)]

    assert compared(*words) in {0, 1, 3}

    found: dict[str, Any] = json.loads(Path("r/comparison.json").read_text("utf-8"))
    told = [
        one["mitigation"]["method"]
        for one in found["tasks"][0]["updates"]
        if one.get("old") == "old" and "mitigation" in one
    ]
    assert told == ["bct", "lambda-orthogonal", "fct"]
    actions = [one["action"] for one in found["tasks"][0]["decision"]["ways"]]
    assert "train" in actions
    assert ended("verify", "r") == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("warm-start", "encoders on an index, for which there are bct"),
        ("lambda-orthogonal:lam=1,keep=forward", "stands on no side of this"),
        ("lambda-orthogonal:lam=auto", "write a value for lam"),
        ("bct:start=old", "has the shape"),
    ],
)
def test_what_cannot_be_trained_is_told(
    text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compared("--mitigate", text) == 2

    assert said in " ".join(capsys.readouterr().err.split())


def test_a_paragon_that_was_trained_on_the_queries_decides_nothing() -> None:
    Path("small.yaml").write_text(f"{SMALL}projection: 6\n", "utf-8")
    made = (*TRAIN, "--split", "test", "--dev", "none", "--out", "free", "-q")
    assert ended(*made) == 0

    compared("--paragon", "free")

    told = json.loads(Path("r/comparison.json").read_text("utf-8"))
    assert any("paragon was trained on the examples" in d for d in told["doubts"])
    assert told["tasks"][0]["decision"]["verdict"] == "undecided"
