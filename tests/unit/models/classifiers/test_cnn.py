"""Images and recordings: trained on, asked about, compared and shown."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from compat_eval.adapters.compat import open_source
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.media import Media
from compat_eval.core.progress import Silence
from compat_eval.models.training.train import train_model
from tests.media import image_uri, png, tone_uri

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

CNN: dict[str, Any] = {
    "width": 4,
    "size": 8,
    "n_mels": 8,
    "n_frames": 8,
    "epochs": 12,
    "batch_size": 8,
    "learning_rate": 0.02,
    "dropout": 0.0,
    "shift": 1,
}
HEAD: dict[str, Any] = {
    **{key: CNN[key] for key in ("size", "n_mels", "n_frames", "batch_size")},
    "normalise": False,
    "epochs": 20,
    "learning_rate": 0.05,
}


def labelled(make: Callable[[int], str], *, n: int = 12) -> Examples:
    """Return inputs of two kinds, made of even and odd numbers."""
    return Examples(
        pa.table(
            {
                "id": [str(at) for at in range(n)],
                "input": [make(at) for at in range(n)],
                "gold": ["one" if at % 2 else "other" for at in range(n)],
            }
        )
    )


def striped(at: int) -> str:
    """Return an image of stripes, across or from top to bottom."""
    lines = np.full((8, 8), at, np.uint8)
    lines[(slice(None), slice(0, 4)) if at % 2 else (slice(0, 4),)] = 250 - at
    return Media(mime="image/png", name=f"{at}.png", content=png(lines)).uri


IMAGES = labelled(striped)
TONES = labelled(lambda at: tone_uri((3000 if at % 2 else 300) + 9 * at))


def trained(
    examples: Examples, out: Path, progress: Any, model: str, **config: Any
) -> Any:
    train_model(
        *(model, examples, None), seed=1, out=out, config=config, progress=progress
    )
    return open_source(str(out), ModelOptions())


@pytest.mark.parametrize("examples", [IMAGES, TONES], ids=["images", "tones"])
@pytest.mark.parametrize("model", ["cnn", "head"])
def test_it_learns_and_is_read_again(
    model: str, examples: Examples, tmp_path: Path, progress: Any
) -> None:
    kind = "pixels" if examples is IMAGES else "log-mel"
    config = {**HEAD, "features": kind} if model == "head" else CNN

    source = trained(examples, tmp_path, progress, model, **config)

    assert {"numpy", "scipy", "pillow"} <= source.describe()["libraries"].keys()
    loaded = source.load()
    items = loaded.encode([*examples.column("input").to_pylist(), "a text"])
    answers = loaded.predict(items)
    assert answers["prediction"].to_pylist()[:12] == examples.column("gold").to_pylist()
    assert "must be a" in answers["error"].to_pylist()[12]
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["features"]["kind"] == kind


def test_it_begins_where_another_ended(tmp_path: Path, progress: Any) -> None:
    trained(IMAGES, tmp_path / "one", progress, "cnn", **CNN)
    still = {**CNN, "epochs": 1, "learning_rate": 1e-30, "weight_decay": 0.0}

    start = str(tmp_path / "one")
    trained(IMAGES, tmp_path / "two", progress, "cnn", **still, start=start)

    weights = [tmp_path / name / "model.safetensors" for name in ("one", "two")]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_examples_that_cannot_be_read_are_named(tmp_path: Path, progress: Any) -> None:
    bad = labelled(lambda at: image_uri(at) if at else "a text")

    with pytest.raises(DataError, match=r"cannot train on 1 examples \(0\): .*image"):
        trained(bad, tmp_path / "cnn", progress, "cnn", **CNN)
    config = {**HEAD, "features": "pixels"}
    with pytest.raises(DataError, match=r"features:pixels cannot read 1 examples"):
        trained(bad, tmp_path / "head", progress, "head", **config)


@pytest.mark.parametrize("config", [{}, {"encoder": "a", "features": "pixels"}])
def test_a_head_stands_on_an_encoder_or_on_features(
    config: dict[str, Any], tmp_path: Path, progress: Any
) -> None:
    with pytest.raises(UsageError, match="a head needs `encoder`"):
        trained(IMAGES, tmp_path, progress, "head", **config)


def test_blocks_have_channels_and_convolutions_of_their_own(tmp_path: Path) -> None:
    config = {**CNN, "epochs": 1, "widths": [4, 8], "depths": [2, 1]}
    train_model(
        "cnn",
        labelled(striped),
        None,
        seed=1,
        out=tmp_path / "model",
        config=config,
        progress=Silence(),
    )
    model: Any = open_source(str(tmp_path / "model"), ModelOptions()).load()

    found = model.embed(model.encode([striped(1)]))

    assert found.shape == (1, 8 * 9)
    with pytest.raises(UsageError, match="depths: 1 are given, of 2 blocks"):
        train_model(
            "cnn",
            labelled(striped),
            None,
            seed=1,
            out=tmp_path / "other",
            config={**CNN, "widths": [4, 8], "depths": [1]},
            progress=Silence(),
        )
