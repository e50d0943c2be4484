"""Regression-alleviating compatible training (RACT).

Zhang et al., "Hot-Refresh Model Upgrades with Regression-Alleviating Compatible
Training in Image Retrieval", ICLR 2022, https://arxiv.org/abs/2201.09724. As
`contrastive`, with NEW's own vectors of other classes as negatives, too: they are what
OLD's right ones compete with while an index is being re-embedded.
"""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from compat_eval.mitigations.train.compatible import compatible_recipe
from compat_eval.mitigations.train.taught import ClassifierRecipeSettings


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


ract = compatible_recipe(
    "ract",
    summary="NEW, trained against regressions in an index of both generations",
    settings=_RactSettings,
    objective="contrastive",
    more=lambda *_: {"alleviating": True},
)
"""Regression-alleviating compatible training."""
