from pathlib import Path

import numpy as np
import pytest

from compat_eval.core.errors import CapabilityError, ModelError
from compat_eval.models.encoders.sentences import FrozenEncoderSource

pytestmark = pytest.mark.torch
pytest.importorskip("torch")
pytest.importorskip("transformers")


def test_a_vector_is_the_mean_of_the_states_of_real_tokens(pretrained: Path) -> None:
    torch = pytest.importorskip("torch")
    model = FrozenEncoderSource(directory=pretrained).load()
    long, short = model.encode(["please play rock music", "book"])
    with torch.inference_mode():
        states = model.network(torch.tensor([list(short.ids)])).last_hidden_state[0]

    vectors = model.embed([long, short])  # the short one is padded

    assert len(short) == 3
    assert np.allclose(vectors[1], states.mean(dim=0).numpy(), atol=1e-6)


def test_longer_texts_are_cut(pretrained: Path) -> None:
    cut = FrozenEncoderSource(directory=pretrained, longest=4).load()
    whole = FrozenEncoderSource(directory=pretrained).load()

    found = cut.embed(cut.encode(["play rock music seats"]))

    assert np.allclose(found, whole.embed(whole.encode(["play rock"])), atol=1e-6)


def test_how_a_text_is_read_belongs_to_the_identity(pretrained: Path) -> None:
    one = FrozenEncoderSource(directory=pretrained)
    other = FrozenEncoderSource(directory=pretrained, longest=4)

    assert one.fingerprint() != other.fingerprint()
    assert one.sha256() == other.sha256()


def test_what_is_no_text_has_no_vector(pretrained: Path) -> None:
    model = FrozenEncoderSource(directory=pretrained).load()

    assert np.isnan(model.embed(model.encode([None]))).all()


def test_an_encoder_has_no_answers(pretrained: Path) -> None:
    model = FrozenEncoderSource(directory=pretrained).load()

    with pytest.raises(CapabilityError, match="vectors"):
        model.predict(model.encode(["play"]))


def test_a_folder_without_an_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no config\.json"):
        FrozenEncoderSource(directory=tmp_path)
