"""Trainings that begin from a trained model of the same kind."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

pytest.importorskip("torch")

import torch
from safetensors.torch import load_file

from compat_eval.core.errors import UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.progress import Silence
from compat_eval.models.classifiers.embedding_bag import EmbeddingBagNetwork
from compat_eval.models.classifiers.starting import begin_from
from compat_eval.models.training.train import train_model

pytestmark = pytest.mark.torch

BAG: dict[str, Any] = {"n_buckets": 50, "width": 4, "epochs": 1, "batch_size": 10}


def labelled(*labels: str) -> Examples:
    rows = [(f"{label}{at}", label) for label in labels for at in range(5)]
    return Examples(
        pa.table(
            {
                "id": [text for text, _ in rows],
                "input": [text for text, _ in rows],
                "gold": [label for _, label in rows],
            }
        )
    )


def train(
    examples: Examples, out: Path, model: str = "embedding-bag", **config: Any
) -> Path:
    train_model(
        *(model, examples, None),
        seed=1,
        out=out,
        config=config,
        progress=Silence(),
    )
    return out


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained bag of embeddings that knows the labels c, a and b."""
    return train(
        labelled("c", "a", "b"), tmp_path_factory.mktemp("bag") / "start", **BAG
    )


def test_rows_are_matched_by_the_names_of_labels(start: Path) -> None:
    network = EmbeddingBagNetwork(n_buckets=50, width=4, n_labels=3)
    fresh = network.head.weight.detach().clone()

    begin_from(
        network, start, kind="embedding-bag", labels=["c", "new", "a"], head="head"
    )

    before = load_file(start / "model.safetensors")  # rows of a, b and c
    torch.testing.assert_close(network.head.weight[0], before["head.weight"][2])
    torch.testing.assert_close(network.head.weight[1], fresh[1])
    torch.testing.assert_close(network.head.weight[2], before["head.weight"][0])
    bias = network.head.get_parameter("bias")
    torch.testing.assert_close(bias[2], before["head.bias"][0])
    torch.testing.assert_close(network.embeddings.weight, before["embeddings.weight"])


def test_a_training_begins_where_the_other_ended(start: Path, tmp_path: Path) -> None:
    still = {**BAG, "learning_rate": 1e-30}

    train(labelled("a", "b", "c"), tmp_path / "on", **still, start=str(start))

    before, after = (
        load_file(one / "model.safetensors") for one in (start, tmp_path / "on")
    )
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_start_that_changed_is_another_training(start: Path, tmp_path: Path) -> None:
    copy = tmp_path / "start"
    shutil.copytree(start, copy)
    train(labelled("a", "b"), tmp_path / "out", **BAG, start=str(copy))
    train(labelled("a", "b", "c"), tmp_path / "other", **{**BAG, "epochs": 2})
    shutil.copy(tmp_path / "other/model.safetensors", copy)

    with pytest.raises(UsageError, match=r"other settings \(files\)"):
        train(labelled("a", "b"), tmp_path / "out", **BAG, start=str(copy))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"width": 5}, r"another architecture: embeddings\.weight .*\(50, 4\)"),
        ({"longest": 4}, r"has hashing \{.*'longest': 5"),
    ],
)
def test_another_architecture_is_told(
    changed: dict[str, Any], told: str, start: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=f"settings: start: .* {told}"):
        train(labelled("a", "b"), tmp_path, **{**BAG, **changed}, start=str(start))


def test_what_is_no_such_model_is_told(start: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(start, damaged)
    (damaged / "model.safetensors").write_bytes(b"no weights")
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.json").write_text(json.dumps({"compat_eval": {"kind": "tfidf"}}))
    cases = {
        tmp_path / "nothing": "has no config.json",
        other: "is of kind tfidf, and embedding-bag is trained",
        damaged: "has no readable weights",
    }

    for at, (place, told) in enumerate(cases.items()):
        with pytest.raises(UsageError, match=told):
            train(labelled("a", "b"), tmp_path / str(at), **BAG, start=str(place))
    with pytest.raises(UsageError, match="shares no label"):
        train(labelled("x", "y"), tmp_path / "out", **BAG, start=str(start))


def test_an_encoder_begins_from_a_fine_tuned_one(
    pretrained: Path, tmp_path: Path
) -> None:
    config = {"encoder": str(pretrained), "epochs": 1, "batch_size": 10}
    first = train(labelled("b", "a"), tmp_path / "first", "encoder", **config)
    still = {**config, "learning_rate": 1e-30, "start": str(first)}

    train(labelled("a", "b"), tmp_path / "on", "encoder", **still)

    before, after = (
        load_file(one / "model.safetensors") for one in (first, tmp_path / "on")
    )
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_another_vocabulary_is_told(pretrained: Path, tmp_path: Path) -> None:
    config = {"encoder": str(pretrained), "epochs": 1, "batch_size": 10}
    first = train(labelled("b", "a"), tmp_path / "first", "encoder", **config)
    text = (first / "tokenizer.json").read_text("utf-8").replace("rock", "pebble")
    (first / "tokenizer.json").write_text(text, "utf-8")
    for vocabulary in first.glob("vocab.txt"):
        vocabulary.unlink()

    with pytest.raises(UsageError, match="another vocabulary than the encoder"):
        train(
            labelled("a", "b"), tmp_path / "on", "encoder", **config, start=str(first)
        )
