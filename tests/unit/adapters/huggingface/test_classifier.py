from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compat_eval.adapters.huggingface.source import open_source
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import ModelError
from compat_eval.core.protocols import HasWeights
from compat_eval.mitigations.combine.bcwi import weight_interpolation as bcwi

pytestmark = pytest.mark.torch

TEXTS = ["book a table for two", "play music", "what is the weather"]


def test_interpolated_weights_are_saved_with_tokenizer_and_labels(
    bert_factory: Callable[..., Path], tmp_path: Path
) -> None:
    old, new = (
        open_source(str(bert_factory(seed=seed)), ModelOptions()).load()
        for seed in (1, 2)
    )
    assert isinstance(new, HasWeights)

    made: Any = bcwi(old, new, weight=0.5)
    made.save(tmp_path)
    found = open_source(str(tmp_path), ModelOptions()).load()

    np.testing.assert_array_equal(
        found.logits(found.encode(TEXTS)), made.logits(made.encode(TEXTS))
    )
    assert found.labels == new.labels
    assert new.label_axes == {"classifier.weight": 0, "classifier.bias": 0}
    for name in ("classifier.bias", "bert.pooler.dense.weight"):
        expected = (old.weights[name] + new.weights[name]) / 2
        np.testing.assert_allclose(found.weights[name], expected, rtol=1e-6)


def test_another_vocabulary_or_number_of_heads_is_no_relative(
    bert_factory: Callable[..., Path],
) -> None:
    old, new = (
        open_source(str(bert_factory(num_attention_heads=n)), ModelOptions()).load()
        for n in (4, 2)
    )

    with pytest.raises(ModelError, match="differs from NEW in num_attention_heads"):
        bcwi(old, new, weight=0.5)
