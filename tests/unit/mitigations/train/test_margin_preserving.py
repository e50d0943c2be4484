"""Training for updates that add classes, through `--mitigate`."""

import json
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import CompatEvalError
from compat_eval.core.progress import Silence
from compat_eval.models.training.train import train_model
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from compat_eval.workflows.compare import compare_sides
from compat_eval.workflows.options import Options

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

WORDS = {"fruit": "apple pear plum fig", "pet": "dog cat cow pig", "tint": "red blue"}
BAG: dict[str, Any] = {
    "n_buckets": 200,
    "width": 8,
    "epochs": 8,
    "batch_size": 5,
    "learning_rate": 0.05,
}


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("suite")
    for split in ("train", "dev", "test"):
        rows = [
            {"id": f"{split}-{word}", "input": f"{word} {split}", "gold": label}
            for label, words in WORDS.items()
            for word in words.split()
        ]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{split}.jsonl").write_text(text, "utf-8")
    path = folder / "suite.yaml"
    path.write_text(
        "name: toy\nversion: '1'\nlicence: CC0-1.0\ndescription: Toys.\n"
        "task: classification\nfields: {id: id, input: input, gold: gold}\n"
        "data:\n  test: {file: test.jsonl}\n  dev: {file: dev.jsonl}\n"
        "  train: {file: train.jsonl}\n"
        "  train-two: {file: train.jsonl, drop: {gold: [tint]}}\n"
        "gates:\n- {quantity: nfr, at_most: 0.9, semantics: detect, "
        "slice: classes=old}\n",
        "utf-8",
    )
    return path


def trained(suite: Path, out: Path, split: str) -> str:
    train_model(
        "embedding-bag",
        load_examples(load_suite(suite), split),
        None,
        seed=3,
        out=out,
        config=BAG,
        progress=Silence(),
        data=f"toy 1 {split}, dev none",
    )
    return f"compat:{out}"


@pytest.fixture(scope="module")
def models(suite: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """OLD, which knows two classes, and NEW, which knows three."""
    folder = tmp_path_factory.mktemp("models")
    return trained(suite, folder / "old", "train-two"), trained(
        suite, folder / "new", "train"
    )


def test_it_is_shown_beside_its_twin_and_added_classes_apart(
    suite: Path, models: tuple[str, str], tmp_path: Path
) -> None:
    options = Options(suite=suite, mitigate=("margin:bias=2",), cache=tmp_path)

    found = compare_sides(*models, options).comparison.to_dict()

    [task] = found["tasks"]
    judged, *tried = task["updates"]
    names = [one["mitigation"]["name"] for one in tried if one.get("mitigation")]
    assert list(dict.fromkeys(names)) == ["margin:bias=2", "offset:bias=2.0"]
    for update in (judged, *(one for one in tried if one.get("mitigation"))):
        by_class = {one["name"]: one for one in update["slices"]}
        assert [*by_class] == ["classes=new", "classes=old"]
        assert by_class["classes=new"]["units"] == 2
    assert found["gates"][0]["slice"] == "classes=old"


def test_a_twin_that_was_asked_for_stands_once(
    suite: Path, models: tuple[str, str], tmp_path: Path
) -> None:
    asked = ("margin:bias=2", "offset:bias=2")
    options = Options(suite=suite, mitigate=asked, cache=tmp_path)

    found = compare_sides(*models, options)

    assert [one.facts["name"] for one in found.answered.mitigated] == [*asked]


def test_what_is_trained_knows_what_is_added_and_can_begin_from_old(
    suite: Path, models: tuple[str, str], tmp_path: Path
) -> None:
    options = Options(
        suite=suite, mitigate=("margin:bias=1,start=old",), cache=tmp_path
    )

    compare_sides(*models, options)

    [record] = tmp_path.glob("trained/*/*/training.json")
    config = json.loads(record.read_text())["config"]
    assert config["objective"] == "margin"
    assert config["objective_settings"]["added"] == [2]  # of fruit, pet and tint
    assert config["start"].endswith("old")


def test_an_update_without_added_classes_is_refused(
    suite: Path, models: tuple[str, str], tmp_path: Path
) -> None:
    _, new = models
    options = Options(suite=suite, mitigate=("margin",), cache=tmp_path)

    with pytest.raises(CompatEvalError, match=r"OLD knows all .*3 labels"):
        compare_sides(new, new, options)
