"""Warm start: NEW is trained on its own data, from OLD's weights on.

Ordinary fine-tuning from the old model, as in Schumann et al., "Backward Compatibility
During Data Updates by Weight Interpolation", EACL 2024,
https://arxiv.org/abs/2301.10546, before it interpolates.
"""

from typing import Literal

from pydantic import Field

from compat_eval.mitigations.mitigation import Recipe, Training
from compat_eval.mitigations.train.taught import (
    NEEDS_NEW,
    ClassifierRecipeSettings,
    require_trainable,
    train_taught,
)


class _WarmStartSettings(ClassifierRecipeSettings):
    """Whose weights are begun from."""

    start: Literal["fresh", "old", "new"] = Field(
        "old", description="weights to begin from: random ones, OLD's or NEW's"
    )


def _train(training: Training, settings: _WarmStartSettings) -> str:
    return train_taught(
        training,
        settings,
        method="warm-start",
        objective="cross-entropy",
        parameters={},
        examples=training.examples,
    )


warm_start = Recipe(
    name="warm-start",
    summary="NEW, trained on the same data from OLD's weights on",
    needs=f"OLD is of NEW's kind and shape; {NEEDS_NEW}",
    settings=_WarmStartSettings,
    train=_train,
    check=require_trainable,
    asks=None,
)
"""Ordinary training that begins from OLD."""
