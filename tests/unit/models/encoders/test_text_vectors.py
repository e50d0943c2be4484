from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compat_eval.core.errors import CapabilityError
from compat_eval.models.encoders.sentences import FrozenEncoderSource
from compat_eval.models.encoders.text_vectors import TextVectors, torch_states
from compat_eval.models.encoders.vector_head import Pooling, VectorHead

pytestmark = pytest.mark.torch
pytest.importorskip("torch")
pytest.importorskip("transformers")

MEAN = VectorHead(pooling=Pooling(modes=("mean",)))


@pytest.fixture
def encoder(pretrained: Path) -> TextVectors:
    frozen = FrozenEncoderSource(directory=pretrained).load()
    states = torch_states(frozen.network)
    return TextVectors(states=states, texts=frozen.texts, head=MEAN)


def test_it_is_the_frozen_encoder_with_the_same_pooling(
    encoder: TextVectors, pretrained: Path
) -> None:
    frozen = FrozenEncoderSource(directory=pretrained).load()
    items = encoder.encode(["please play rock music", "book", ""])

    np.testing.assert_allclose(
        encoder.embed(items), frozen.embed(items), atol=1e-6, rtol=0
    )


def test_a_prompt_and_lower_case_come_before_the_tokenizer(
    encoder: TextVectors,
) -> None:
    prompted = replace(encoder, prompt="Please ", lower=True)

    found = prompted.embed(prompted.encode(["PLAY"]))

    expected = encoder.embed(encoder.encode(["please play"]))
    np.testing.assert_array_equal(found, expected)


def test_what_is_no_text_has_no_vector(encoder: TextVectors) -> None:
    found = encoder.embed(encoder.encode(["play", None]))

    assert np.isnan(found[1]).all()
    assert np.isfinite(found[0]).all()
    assert np.isnan(encoder.embed(encoder.encode([None]))).all()
    with pytest.raises(CapabilityError, match="no answers"):
        encoder.predict([])
