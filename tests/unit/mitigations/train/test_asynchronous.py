"""A model of two suites is trained anew; what falls behind OLD learns from OLD."""

import json
from pathlib import Path
from typing import Any

import pytest

from compat_eval.adapters.compat import open_source
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import UsageError
from compat_eval.core.progress import Silence
from compat_eval.mitigations.train.asynchronous import asynchronous
from compat_eval.models.multitask.suites import LearnedSuite, load_tasks
from compat_eval.models.training.train import train_model
from compat_eval.runner.questions import Logits
from compat_eval.suite.load import load_suite
from compat_eval.workflows.compare import compare_sides
from compat_eval.workflows.mitigate import mitigate
from compat_eval.workflows.options import Options
from tests.unit.mitigations.train.conftest import train_on

pytestmark = pytest.mark.torch

_COLOURS = """
name: colours
version: "1"
description: Colours
task: classification
data:
  test: {file: colours.csv}
  train: {file: colours.csv}
fields: {input: text, gold: colour}
"""
TINY = {
    "steps": 30,
    "check_every": 5,
    "batch_size": 8,
    "n_buckets": 64,
    "width": 8,
    "hidden": 8,
    "learning_rate": 0.02,
}


@pytest.fixture
def colours(tmp_path: Path) -> str:
    """Return a suite's file."""
    (tmp_path / "colours.yaml").write_text(_COLOURS)
    names = ("red", "blue")
    rows = [f"it is {names[at % 2]} {at},{names[at % 2]}" for at in range(60)]
    (tmp_path / "colours.csv").write_text("\n".join(["text,colour", *rows]) + "\n")
    return str(tmp_path / "colours.yaml")


def trained(out: Path, *suites: str, seed: int = 1, **config: Any) -> str:
    parts = [
        LearnedSuite(suite=load_suite(text), called=text, split="train", dev="held out")
        for text in suites
    ]
    train, dev = load_tasks(parts, data_dir=None, offline=True)
    train_model(
        "multitask",
        train,
        dev,
        seed=seed,
        out=out,
        config={**TINY, **config},
        progress=Silence(),
        data="; ".join(map(str, parts)),
    )
    return f"compat:{out}#library-desk"


def test_a_task_that_falls_behind_learns_from_old(tmp_path: Path, colours: str) -> None:
    old = trained(tmp_path / "old", "library-desk", colours, steps=60)
    new = trained(tmp_path / "new", "library-desk", colours, seed=2)
    options = Options(suite="library-desk", cache=tmp_path / "cache")

    made = mitigate("async-kd:patience=1", old, new, options, out=tmp_path / "kept")

    record = json.loads((tmp_path / "kept/training.json").read_text())
    events = [event for entry in record["history"] for event in entry["events"]]
    assert made.reference == f"compat:{tmp_path / 'kept'}#library-desk"
    assert set(record["config"]["old_scores"]) == {"library-desk", "colours"}
    assert record["config"]["convergence"] == "asynchronous"
    assert "old" in {event["teacher"] for event in events}
    assert len(record["data"]["name"].split("; ")) == 2


def test_old_may_be_a_model_of_one_task(tmp_path: Path, colours: str) -> None:
    old = train_on("train-small", tmp_path / "old")
    new = trained(tmp_path / "new", "library-desk", colours)
    options = Options(
        suite="library-desk", cache=tmp_path / "cache", mitigate=("async-kd",)
    )

    found = compare_sides(old, new, options)

    (mitigated,) = found.answered.mitigated
    assert mitigated.facts["name"] == "async-kd"
    assert mitigated.facts["cost"]["new_passes"] == 1


def test_a_new_of_one_task_is_told_what_to_use(tmp_path: Path) -> None:
    old, new = (train_on("train-small", tmp_path / name) for name in ("old", "new"))

    with pytest.raises(UsageError, match="trains a NEW of several tasks anew"):
        mitigate(
            "async-kd", old, new, Options(suite="library-desk"), out=tmp_path / "kept"
        )


def test_a_mixture_of_tasks_is_kept_beside_their_models(
    tmp_path: Path, colours: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (
        trained(tmp_path / name, "library-desk", colours, seed=seed, steps=2)
        for name, seed in (("old", 1), ("new", 2))
    )
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    first, second = (f"compat:{one.rpartition('/')[2]}" for one in (old, new))
    options = Options(suite="library-desk")

    mitigate("mix:weight=0.5", first, second, options, out=Path("mixed"))

    monkeypatch.chdir(tmp_path / "elsewhere")
    made = open_source("../mixed", ModelOptions())
    assert made.describe()["members"] == [
        f"compat:{tmp_path / name}#library-desk" for name in ("old", "new")
    ]


def test_it_asks_old_for_logits() -> None:
    assert asynchronous.asks == Logits()
