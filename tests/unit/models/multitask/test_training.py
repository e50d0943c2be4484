import json
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from compat_eval.adapters.compat import open_source, recognises
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import ModelError, UsageError
from compat_eval.core.progress import Silence
from compat_eval.core.protocols import GivesLogits
from compat_eval.core.table import bools
from compat_eval.models.training.train import train_model
from tests.unit.models.multitask.toys import examples

pytestmark = pytest.mark.torch

TINY = {
    "steps": 60,
    "check_every": 20,
    "batch_size": 8,
    "learning_rate": 0.03,
    "n_buckets": 64,
    "width": 8,
    "hidden": 8,
    "dropout": 0.0,
}


def trained(out: Path, **config: Any) -> Path:
    train_model(
        "multitask",
        examples(48, 1),
        examples(40, 2),
        seed=1,
        out=out,
        config={**TINY, **config},
        progress=Silence(),
    )
    return out


def test_each_task_is_a_model(tmp_path: Path) -> None:
    out = trained(tmp_path / "m")

    first: Any = open_source(f"{out}#first", ModelOptions()).load()
    words: Any = open_source(f"{out}#words", ModelOptions()).load()

    assert [isinstance(one, GivesLogits) for one in (first, words)] == [True, False]
    assert words.predict(words.encode(["red black", "brown"]))[
        "prediction"
    ].to_pylist() == ["O B", "B"]
    assert len(first.predict(first.encode(["red black"]))) == 1


def test_answers_are_those_that_training_scored(tmp_path: Path) -> None:
    out = trained(tmp_path / "m")
    dev = examples(40, 2)
    dev = dev.take(bools(pc.equal(dev.column("task"), "first")))
    model: Any = open_source(f"{out}#first", ModelOptions()).load()

    found = model.predict(model.encode(dev.column("input").to_pylist()))

    record = json.loads((out / "training.json").read_text())
    right = pc.equal(found["prediction"], dev.column("gold"))
    assert pc.mean(right).as_py() in [
        entry["scores"]["first"] for entry in record["history"]
    ]


def test_tasks_of_a_model_are_different_models(tmp_path: Path) -> None:
    out = trained(tmp_path / "m")

    first, words = (
        open_source(f"{out}#{name}", ModelOptions()) for name in ("first", "words")
    )

    assert first.fingerprint() != words.fingerprint()
    assert words.describe()["labels"] == ["B", "O"]
    assert words.describe()["task"] == "words"
    assert recognises(Path(f"{out}#first"))


@pytest.mark.parametrize("part", ["", "#third"])
def test_a_task_is_named(tmp_path: Path, part: str) -> None:
    out = trained(tmp_path / "m")

    with pytest.raises(
        ModelError, match=r"write compat:\S+m#first or compat:\S+m#words"
    ):
        open_source(f"{out}{part}", ModelOptions())


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"balancing": "fair"}, "known: .*gradnorm"),
        ({"balancing": "dwa", "balancing_settings": {"heat": 1}}, "dwa cannot take"),
        ({"window": 2}, "window must be odd"),
        ({"convergence": "soon"}, "'joint' or 'asynchronous'"),
    ],
)
def test_mistakes_are_told(
    tmp_path: Path, config: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        trained(tmp_path / "m", **config)
