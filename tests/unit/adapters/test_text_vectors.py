"""What a reference says about vectors, and encoders of transformers opened so."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compat_eval.adapters.huggingface.source import open_source, recognises
from compat_eval.adapters.options import ModelOptions
from compat_eval.adapters.text_vectors import parse_reading
from compat_eval.core.errors import ModelError
from compat_eval.models.encoders.sentences import FrozenEncoderSource
from compat_eval.runner.questions import Batch, Embed
from tests.small_encoder import write_small_encoder

pytestmark = pytest.mark.torch
TEXTS = ["play rock music", "book a table"]


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    pytest.importorskip("torch")
    return write_small_encoder(tmp_path, TEXTS)


def test_a_reference_says_how_vectors_are_made() -> None:
    found = parse_reading("cls,mean,normalise,query=find%2C ,prompt=x", reference="r")

    assert found.modes == ("cls", "mean")
    assert found.normalise
    assert (found.prompts.of("query"), found.prompts.of("document")) == ("find, ", "x")
    assert found.prompts.of(None) == "x"


@pytest.mark.parametrize("how", ["average", "mean,", "prompts=x", ""])
def test_what_a_reference_cannot_say_is_told(how: str) -> None:
    with pytest.raises(ModelError, match=r"says nothing about vectors.*weightedmean"):
        parse_reading(how, reference="hf:m")


def test_an_encoder_of_transformers_embeds(encoder: Path) -> None:
    source = open_source(f"{encoder}#mean", ModelOptions())
    model: Any = source.load()
    frozen = FrozenEncoderSource(directory=encoder).load()

    table = Embed().put(model, Batch(model.encode(TEXTS)))

    expected = frozen.embed(frozen.encode(TEXTS))
    np.testing.assert_allclose(table["vector"].to_pylist(), expected, atol=1e-6)
    assert source.describe()["vectors"]["pooling"] == ["mean"]
    assert recognises(Path(f"{encoder}#mean"))


def test_how_vectors_are_made_belongs_to_the_identity(encoder: Path) -> None:
    hows = ["mean", "cls", "mean,normalise", "mean,prompt=a", "mean,cls"]
    prints = {
        open_source(f"{encoder}#{how}", ModelOptions()).fingerprint() for how in hows
    }

    assert len(prints) == 5


def test_an_encoder_without_a_pooling_is_told_how_to_name_one(encoder: Path) -> None:
    with pytest.raises(ModelError, match="#mean or #cls"):
        open_source(str(encoder), ModelOptions())
    with pytest.raises(ModelError, match="name a pooling"):
        open_source(f"{encoder}#pooled", ModelOptions())


def test_weights_that_lack_a_layer_are_refused(encoder: Path) -> None:
    """It would be random, and so would every vector."""
    safetensors = pytest.importorskip("safetensors.numpy")
    path = encoder / "model.safetensors"
    tensors = safetensors.load_file(path)
    kept = {k: v for k, v in tensors.items() if "attention.self.key" not in k}
    safetensors.save_file(kept, path, metadata={"format": "pt"})

    with pytest.raises(ModelError, match="would be random"):
        open_source(f"{encoder}#mean", ModelOptions()).load()


def test_a_pooler_that_is_not_used_may_be_absent(encoder: Path) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    path = encoder / "model.safetensors"
    tensors = safetensors.load_file(path)
    kept = {k: v for k, v in tensors.items() if not k.startswith("pooler.")}
    safetensors.save_file(kept, path, metadata={"format": "pt"})

    model: Any = open_source(f"{encoder}#mean", ModelOptions()).load()

    assert np.isfinite(model.embed(model.encode(TEXTS))).all()
