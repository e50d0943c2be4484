"""The training loop, where a loss is not a number."""

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import torch

from compat_eval.core.errors import ModelError
from compat_eval.core.examples import Examples
from compat_eval.models.training.train import train_model
from compat_eval.models.training.workplace import CHECKPOINT

pytestmark = pytest.mark.torch

SMALL: dict[str, Any] = {"n_buckets": 50, "width": 4, "epochs": 3, "batch_size": 30}
REAL = "compat_eval.models.classifiers.training.ClassifierLearner.loss"


def diverging(monkeypatch: pytest.MonkeyPatch, *, step: int, value: float) -> None:
    """Make the loss of one step, of two an epoch, something else."""
    from compat_eval.models.classifiers.training import ClassifierLearner

    real, n_steps = ClassifierLearner.loss, 0

    def loss(learner: ClassifierLearner, rows: Any) -> torch.Tensor:
        nonlocal n_steps
        n_steps += 1
        return real(learner, rows) * (value if n_steps == step else 1.0)

    monkeypatch.setattr(REAL, loss)


def train(examples: Examples, out: Path, progress: Any) -> dict[str, Any]:
    return train_model(
        *("embedding-bag", examples, None),
        seed=0,
        out=out,
        config=SMALL,
        progress=progress,
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_with_the_state_before_kept(
    value: float,
    examples: Examples,
    tmp_path: Path,
    progress: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    diverging(monkeypatch, step=4, value=value)

    told = r"epoch 2, step 2: the loss is (nan|inf).* state after epoch 1 is kept"
    with pytest.raises(ModelError, match=told):
        train(examples, tmp_path / "out", progress)

    kept = torch.load(tmp_path / "out/.training" / CHECKPOINT, weights_only=True)
    assert kept["epoch"] == 1
    assert all(torch.isfinite(one).all() for one in kept["network"].values())
    assert not (tmp_path / "out/config.json").exists()
    monkeypatch.undo()
    train(examples, tmp_path / "whole", progress)
    again = train(examples, tmp_path / "out", progress)
    assert [done["epoch"] for done in again["history"]] == [1, 2, 3]
    assert (tmp_path / "out/model.safetensors").read_bytes() == (
        tmp_path / "whole/model.safetensors"
    ).read_bytes()


def test_a_loss_that_is_no_number_at_once_leaves_nothing(
    examples: Examples,
    tmp_path: Path,
    progress: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    diverging(monkeypatch, step=1, value=float("nan"))

    with pytest.raises(
        ModelError, match=r"epoch 1, step 1: .* no state before"
    ) as seen:
        train(examples, tmp_path / "out", progress)
    assert seen.value.exit_code == 2


def test_dev_accuracy_is_of_all_examples_and_not_a_mean_of_batches(
    examples: Examples, tmp_path: Path, progress: Any
) -> None:
    # 70 examples are batches of 64 and 6; the mean of their shares is another number.
    import pyarrow as pa

    texts = ["play rock"] * 64 + ["a much longer text to be sorted to the end"] * 6
    gold = ["play"] * 64 + ["none"] * 6
    rows = {"id": [str(at) for at in range(70)], "input": texts, "gold": gold}
    config = {**SMALL, "learning_rate": 0.05}

    record = train_model(
        *("embedding-bag", examples, Examples(pa.table(rows))),
        seed=0,
        out=tmp_path,
        config=config,
        progress=progress,
    )

    assert json.loads(json.dumps(record["history"]))[-1]["dev_accuracy"] == 64 / 70
