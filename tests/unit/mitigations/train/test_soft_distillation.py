"""A classifier that is trained towards OLD's probabilities."""

import json
from pathlib import Path

import pytest

from compat_eval.core.errors import UsageError
from compat_eval.mitigations.train.soft_distillation import soft_distillation
from compat_eval.models.training.train import train_model
from compat_eval.runner.questions import Logits
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from compat_eval.workflows.mitigate import mitigate
from compat_eval.workflows.options import Options


@pytest.mark.torch
def test_a_classifier_is_trained_towards_old_s_probabilities(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from compat_eval.core.progress import Silence

    suite = load_suite("library-desk")
    config = {"n_buckets": 500, "width": 8, "epochs": 2, "batch_size": 20}
    for name, split in (("old", "train-small"), ("new", "train")):
        train_model(
            "embedding-bag",
            load_examples(suite, split),
            None,
            seed=1,
            out=tmp_path / name,
            config=config,
            progress=Silence(),
            data=f"library-desk 1 {split}, dev none",
        )
    old, new = f"compat:{tmp_path / 'old'}", f"compat:{tmp_path / 'new'}"
    asked = Options(suite="library-desk", cache=tmp_path / "cache")

    made = mitigate("soft-distill:alpha=1", old, new, asked, out=tmp_path / "taught")

    record = json.loads((tmp_path / "taught/training.json").read_text("utf-8"))
    assert made.reference == f"compat:{tmp_path / 'taught'}"
    assert record["config"]["objective"] == "distillation"
    assert record["config"]["objective_settings"] == {
        "alpha": 1.0,
        "temperature": 2.0,
        "over": "shared",
        "better": False,
    }
    assert (tmp_path / "taught/config.json").is_file()
    with pytest.raises(UsageError, match="has the objective distillation already"):
        mitigate("soft-distill", old, made.reference, asked, out=tmp_path / "again")


def test_it_asks_old_for_logits() -> None:
    assert soft_distillation.asks == Logits()
