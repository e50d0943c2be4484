"""L2: NEW's vectors are drawn to OLD's vectors of the same inputs.

The baseline of Shen et al., "Towards Backward-Compatible Representation Learning", CVPR
2020, https://arxiv.org/abs/2003.11942, beside the loss of the task; with a margin, the
weakened form of "MixBCT", https://arxiv.org/abs/2308.06948. It can make NEW much worse
by itself: look at the compatibility tax.
"""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from compat_eval.mitigations.train.compatible import compatible_recipe
from compat_eval.mitigations.train.taught import ClassifierRecipeSettings


class _DistanceSettings(ClassifierRecipeSettings):
    """How strongly NEW is drawn to OLD."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {"share": (1.0, 3.0, 10.0, 30.0)}

    share: float = Field(
        10.0, ge=0, description="λ, weight of the squared distance of unit vectors"
    )
    task: float = Field(
        1.0,
        ge=0,
        description="weight of the task's loss; 0 for OLD's vectors only",
    )
    margin: float = Field(
        0.0, ge=0, description="distances below it cost nothing; 0 for the square"
    )


l2 = compatible_recipe(
    "l2",
    summary="NEW, trained towards OLD's vectors themselves",
    settings=_DistanceSettings,
)
"""Towards OLD's own vectors."""
