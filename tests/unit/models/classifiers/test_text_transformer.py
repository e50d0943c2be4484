"""A small transformer text encoder: trained, read again, asked."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from compat_eval.adapters.compat import open_source
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.examples import Examples
from compat_eval.core.progress import Silence
from compat_eval.models.training.train import train_model

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

SMALL: dict[str, Any] = {
    "n_buckets": 50,
    "width": 8,
    "depth": 1,
    "heads": 1,
    "projection": 5,
    "epochs": 30,
    "batch_size": 8,
    "learning_rate": 0.02,
    "dropout": 0.0,
}


def texts() -> Examples:
    said = [f"{word} number {at}" for at in range(6) for word in ("open", "close")]
    return Examples(
        pa.table(
            {
                "id": [str(at) for at in range(12)],
                "input": said,
                "gold": [text.partition(" ")[0] for text in said],
            }
        )
    )


def trained(out: Path) -> Any:
    train_model(
        "text-transformer",
        texts(),
        None,
        seed=1,
        out=out,
        config=SMALL,
        progress=Silence(),
    )
    return open_source(str(out), ModelOptions()).load()


def test_it_learns_and_answers_the_same_in_any_batch(tmp_path: Path) -> None:
    model = trained(tmp_path / "model")
    items = model.encode(texts().column("input").to_pylist())

    together = model.embed(items)
    alone = np.concatenate([model.embed([item]) for item in items])

    assert together.shape == (12, 5)
    assert np.allclose(together, alone, atol=1e-5)
    said = model.predict(items).column("prediction").to_pylist()
    assert said == texts().column("gold").to_pylist()


def test_a_text_without_words_and_a_long_one_have_vectors(tmp_path: Path) -> None:
    model = trained(tmp_path / "model")

    found = model.embed(model.encode(["", "word " * 500]))

    assert np.isfinite(found).all()


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="must be a text"):
        trained(tmp_path / "model").encode([3])


def test_weights_can_be_mixed(tmp_path: Path) -> None:
    model = trained(tmp_path / "model")
    half = model.with_weights({k: v * 0.5 for k, v in model.weights.items()})

    assert half.built_as == model.built_as
    assert model.label_axes == {"head.weight": 0, "head.bias": 0}
    assert not np.allclose(
        half.embed(half.encode(["open"])), model.embed(model.encode(["open"]))
    )
