"""Contrastive compatibility: OLD's vector of the same input is the positive.

A baseline in the literature on backward-compatible training: NEW's vector must be
nearer to OLD's of the same input than to OLD's of other classes.
"""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from compat_eval.mitigations.mitigation import Recipe, Training
from compat_eval.mitigations.train.compatible import (
    NEEDS_ENCODERS,
    asks_queries,
    require_encoders,
    train_compatible,
)
from compat_eval.mitigations.train.taught import ClassifierRecipeSettings
from compat_eval.runner.questions import Embed


class _ContrastiveSettings(ClassifierRecipeSettings):
    """How sharp the contrast is, and against what."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {"share": (0.3, 1.0, 3.0)}

    share: float = Field(1.0, ge=0, description="λ, weight beside the task's own loss")
    temperature: float = Field(0.05, gt=0, description="what cosines are divided by")
    hardest: int | None = Field(
        None, ge=1, description="how many negatives count; all by default"
    )


def _train(training: Training, settings: _ContrastiveSettings) -> str:
    names = ("share", "temperature", "hardest")
    parameters = {name: getattr(settings, name) for name in names}
    return train_compatible(
        training, settings, method="contrastive", parameters=parameters
    )


contrastive = Recipe(
    name="contrastive",
    summary="NEW, trained to be nearest to OLD's vector of the same input",
    needs=NEEDS_ENCODERS,
    settings=_ContrastiveSettings,
    train=_train,
    check=require_encoders,
    asks=Embed(),
    stands_for=asks_queries,
)
"""Contrastive compatibility."""
