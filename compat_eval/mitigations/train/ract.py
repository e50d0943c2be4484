"""Regression-alleviating compatible training (RACT).

Zhang et al., "Hot-Refresh Model Upgrades with Regression-Alleviating Compatible
Training in Image Retrieval", ICLR 2022, https://arxiv.org/abs/2201.09724. As
`contrastive`, with NEW's own vectors of other classes as negatives, too: they are what
OLD's right ones compete with while an index is being re-embedded.
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


class _RactSettings(ClassifierRecipeSettings):
    """How sharp the contrast is, and against what."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {
        "share": (0.3, 1.0, 3.0),
        "temperature": (0.01, 0.05),
    }

    share: float = Field(1.0, ge=0, description="λ, weight beside the task's own loss")
    temperature: float = Field(
        0.05, gt=0, description="what cosines are divided by; 0.01 in the paper"
    )
    hardest: int | None = Field(
        10, ge=1, description="how many negatives count, the most similar ones"
    )


def _train(training: Training, settings: _RactSettings) -> str:
    parameters = {
        "share": settings.share,
        "temperature": settings.temperature,
        "hardest": settings.hardest,
        "alleviating": True,
    }
    return train_compatible(
        training,
        settings,
        method="ract",
        objective="contrastive",
        parameters=parameters,
    )


ract = Recipe(
    name="ract",
    summary="NEW, trained against regressions in an index of both generations",
    needs=NEEDS_ENCODERS,
    settings=_RactSettings,
    train=_train,
    check=require_encoders,
    asks=Embed(),
    stands_for=asks_queries,
)
"""Regression-alleviating compatible training."""
