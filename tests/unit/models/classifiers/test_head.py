import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compat_eval.adapters.compat import open_source
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import ModelError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.protocols import HasWeights
from compat_eval.mitigations.saved import save_model
from compat_eval.models.training.train import train_model
from compat_eval.runner.cache import Cache, stores

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

QUICK = {"epochs": 2, "batch_size": 20, "learning_rate": 0.05}
Made = Callable[..., Path]


@pytest.fixture
def made(
    examples: Examples, pretrained: Path, tmp_path: Path, progress: Any
) -> Callable[..., Path]:
    def make(name: str = "head", cache: Cache | None = None, **settings: Any) -> Path:
        config = {"encoder": str(pretrained), **QUICK, **settings}
        train_model(
            "head",
            examples,
            None,
            seed=0,
            out=tmp_path / name,
            config=config,
            progress=progress,
            cache=cache,
        )
        return tmp_path / name

    return make


def opened(directory: Path) -> Any:
    return open_source(str(directory), ModelOptions()).load()


def test_logits_are_a_linear_layer_on_vectors_of_one_length(made: Made) -> None:
    model = opened(made())
    items = model.encode(["please play rock"])
    vector = model.encoder.embed(items)[0]
    head = model.network.head

    logits = model.logits(items)[0]

    scaled = vector / np.linalg.norm(vector) * np.sqrt(len(vector))
    assert np.allclose(model.embed(items)[0], scaled, atol=1e-5)
    weight, bias = head.weight.detach().numpy(), head.bias.detach().numpy()
    assert np.allclose(logits, weight @ scaled + bias, atol=1e-5)


def test_a_hidden_layer_is_saved_and_read(made: Made) -> None:
    directory = made(hidden=7, normalise=False)
    config = json.loads((directory / "config.json").read_text())

    model = opened(directory)

    assert config["sizes"] == {
        "width": 32,
        "hidden": 7,
        "normalise": False,
        "projection": 0,
        "cosine": 0.0,
    }
    assert config["encoder"]["pooling"] == "mean"
    assert model.network.body[0].weight.shape == (7, 32)
    assert model.logits(model.encode(["play", "book"])).shape == (2, 2)


def test_weights_of_the_encoder_are_not_copied(made: Made, pretrained: Path) -> None:
    directory = made()

    assert sorted(path.name for path in directory.iterdir()) == [
        "config.json",
        "encoder.json",
        "model.safetensors",
        "training.json",
    ]
    place = json.loads((directory / "encoder.json").read_text())["path"]
    assert (directory / place).resolve() == pretrained.resolve()


def test_vectors_are_computed_once_for_all_heads(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(tmp_path / "cache")
    first = made("first", cache)
    monkeypatch.setattr(
        "compat_eval.models.encoders.sentences.FrozenEncoderSource.load",
        lambda _: pytest.fail("the encoder was loaded again"),
    )

    second = made("second", cache)

    assert [store.question for store in stores(cache)] == ["embed"]
    weights = [one / "model.safetensors" for one in (first, second)]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_equal_heads_are_the_same_model_wherever_they_are(made: Made) -> None:
    one, other = made("one"), made("two/deeper")

    found = [open_source(str(at), ModelOptions()).fingerprint() for at in (one, other)]

    assert found[0] == found[1]


def test_an_encoder_that_changed_is_refused_when_the_head_is_opened(
    made: Made, pretrained: Path, tmp_path: Path
) -> None:
    encoder = Path(shutil.copytree(pretrained, tmp_path / "encoder"))
    directory = made(encoder=str(encoder))
    config = encoder / "config.json"
    config.write_text(config.read_text().replace('"layer_norm_eps"', '"layer_norm"'))

    with pytest.raises(ModelError, match="not the one that it was trained on"):
        open_source(str(directory), ModelOptions())


def test_an_encoder_that_is_gone_is_named(
    made: Made, pretrained: Path, tmp_path: Path
) -> None:
    encoder = Path(shutil.copytree(pretrained, tmp_path / "encoder"))
    directory = made(encoder=str(encoder))
    shutil.rmtree(encoder)

    with pytest.raises(ModelError, match=r"its encoder is not at .*encoder\.json"):
        open_source(str(directory), ModelOptions())


def test_a_head_that_does_not_say_where_its_encoder_is_cannot_be_opened(
    made: Made,
) -> None:
    directory = made()
    (directory / "encoder.json").unlink()

    with pytest.raises(ModelError, match="does not say which encoder"):
        open_source(str(directory), ModelOptions())


def test_what_is_no_text_is_an_error_of_its_own(made: Made) -> None:
    model = opened(made())

    answers = model.predict(model.encode(["play", 3]))

    assert answers["error"].to_pylist()[0] is None
    assert "must be a text" in answers["error"].to_pylist()[1]
    assert answers["prediction"].to_pylist()[1] is None


def test_a_head_begins_where_another_ended(made: Made) -> None:
    first = made("first", hidden=5)

    second = made("second", hidden=5, start=str(first), learning_rate=1e-30)

    weights = [one / "model.safetensors" for one in (first, second)]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    with pytest.raises(UsageError, match="has sizes"):
        made("third", start=str(first))


def test_other_weights_are_kept_with_where_the_encoder_is(
    made: Made, tmp_path: Path
) -> None:
    model = opened(made())
    assert isinstance(model, HasWeights)
    doubled: Any = model.with_weights({k: 2 * v for k, v in model.weights.items()})

    save_model(tmp_path / "deep" / "kept", doubled, {"method": "double"})
    found = opened(tmp_path / "deep" / "kept")

    items = found.encode(["please play rock"])
    assert np.allclose(found.logits(items), doubled.logits(items))
    assert found.built_as == model.built_as
