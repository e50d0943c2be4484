"""MixBCT: one classification loss over batches in which some vectors are OLD's.

Liang et al., "MixBCT: Towards Self-Adapting Backward-Compatible Training",
https://arxiv.org/abs/2308.06948.
"""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from compat_eval.mitigations.train.compatible import compatible_recipe
from compat_eval.mitigations.train.taught import ClassifierRecipeSettings


class _MixedSettings(ClassifierRecipeSettings):
    """How many of a batch's vectors are OLD's."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {"share": (0.1, 0.3, 0.5)}

    share: float = Field(
        0.3, ge=0, le=1, description="how many of a batch's vectors are OLD's"
    )
    drop: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="of each class's vectors of OLD the farthest, which are left out",
    )


mixbct = compatible_recipe(
    "mixbct",
    summary="NEW, whose classifier learns to read OLD's vectors, too",
    settings=_MixedSettings,
)
"""Batches of both generations."""
