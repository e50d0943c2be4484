import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest
from typer.testing import CliRunner

from compat_eval.adapters.compat import open_source
from compat_eval.adapters.options import ModelOptions
from compat_eval.cli.influence import app
from compat_eval.core.errors import CapabilityError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.progress import Silence
from compat_eval.models.training.train import train_model
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from compat_eval.workflows.options import Options
from compat_eval.workflows.run import compare_and_write
from tests.small_encoder import write_small_encoder

pytestmark = pytest.mark.torch
RUNNER = CliRunner()
FEWER = """
name: fewer
version: "1"
task: classification
data:
  test: {file: fewer.jsonl}
  train: {file: fewer.jsonl}
fields: {input: input, gold: gold}
"""


def train(
    folder: Path, name: str, examples: Examples, split: str, **config: object
) -> str:
    train_model(
        "lqf",
        examples,
        None,
        seed=0,
        out=folder / name,
        config={
            "encoder": str(folder / "encoder"),
            "hidden": 8,
            "ridges": [1.0],
            **config,
        },
        progress=Silence(),
        data=f"library-desk 1 {split}, dev none",
    )
    return f"compat:{folder / name}"


def compared(old: str, new: str, out: Path) -> None:
    options = Options(suite="library-desk", cache=None)
    compare_and_write(old, new, options, render=lambda _: {}, out=out)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """OLD of a part, NEW of all, and the run that compares them."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    where = tmp_path_factory.mktemp("influence")
    suite = load_suite("library-desk")
    every = load_examples(suite, "train").with_gold()
    few = load_examples(suite, "train-small").with_gold()
    write_small_encoder(where / "encoder", every.column("input").to_pylist())
    old = train(where, "old", few, "train-small")
    new = train(where, "new", every, "train")
    compared(old, new, where / "run")
    return where


def called(*arguments: object) -> str:
    done = RUNNER.invoke(app, [*map(str, arguments), "--no-cache", "--quiet"])
    if done.exception is not None:
        raise done.exception
    return done.stdout


def test_each_flip_has_the_examples_that_caused_it(folder: Path) -> None:
    shown = called(folder / "run", "--limit", 1, "--examples", 2)

    assert shown.count("▼") == 1
    assert shown.count("without it") == 2
    assert "lead of the right label -" in shown


def test_a_cause_is_what_a_training_without_it_shows(folder: Path) -> None:
    out = folder / "causes.jsonl"
    called(folder / "run", "--limit", 1, "--examples", 1, "--export", out)
    flip = json.loads(out.read_text().splitlines()[0])
    (cause,) = flip["examples"]
    every = load_examples(load_suite("library-desk"), "train").with_gold()
    rest = every.take(np.array(pc.not_equal(every.ids, cause["id"]).to_pylist()))
    train(folder, f"without-{cause['id']}", rest, "train")

    model: Any = open_source(
        str(folder / f"without-{cause['id']}"), ModelOptions()
    ).load()
    (outputs,) = model.logits(model.encode([flip["input"]]))

    lead = (
        outputs[model.labels.index(flip["gold"])]
        - outputs[model.labels.index(flip["answered"])]
    )
    assert cause["lead_without"] == pytest.approx(lead, abs=1e-3)
    assert cause["known_to_old"] in {True, False}


def test_a_flip_of_a_label_that_new_lacks_is_told(folder: Path) -> None:
    every = load_examples(load_suite("library-desk"), "train").with_gold()
    gold = load_examples(load_suite("library-desk"), "test").column("gold")
    lacked = gold[0].as_py()
    rest = every.take(np.array(pc.not_equal(every.column("gold"), lacked).to_pylist()))
    (folder / "fewer.yaml").write_text(FEWER)
    rows = [
        {"input": one["input"], "gold": one["gold"]} for one in rest.table.to_pylist()
    ]
    (folder / "fewer.jsonl").write_text("\n".join(map(json.dumps, rows)))
    fewer = load_examples(load_suite(str(folder / "fewer.yaml")), "train").with_gold()
    new = train(folder, "fewer", fewer, "train")
    compared(f"compat:{folder / 'new'}", new, folder / "lacks")

    shown = called(folder / "lacks", "--all", "--suite", folder / "fewer.yaml")

    assert f"right: {lacked}" in shown
    assert "NEW was trained on no example of the right label" in shown


def test_an_example_that_is_no_flip_is_told(folder: Path) -> None:
    with pytest.raises(UsageError, match="NEW broke no example 'none'"):
        called(folder / "run", "--id", "none")


def test_a_new_that_is_not_linear_in_its_head_alone_is_refused(folder: Path) -> None:
    every = load_examples(load_suite("library-desk"), "train").with_gold()
    new = train(folder, "layers", every, "train", layers=1, steps=1)
    compared(f"compat:{folder / 'old'}", new, folder / "other")

    with pytest.raises(CapabilityError, match="whose head alone was trained"):
        called(folder / "other")
