"""Learning compatible embeddings (LCE): classes stay where OLD has them.

Meng et al., "Learning Compatible Embeddings", ICCV 2021,
https://arxiv.org/abs/2108.01958. NEW's classifier is drawn to OLD's class centres, and
NEW's vectors stay within the cones that OLD's fill.
"""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from compat_eval.mitigations.train.compatible import compatible_recipe
from compat_eval.mitigations.train.taught import ClassifierRecipeSettings


class _CentreSettings(ClassifierRecipeSettings):
    """Weights of the two further losses."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {"align": (10.0, 100.0, 1000.0)}

    align: float = Field(
        100.0,
        ge=0,
        description="weight of its classifier's distance to OLD's centres",
    )
    bound: float = Field(
        1.0, ge=0, description="weight of how far vectors leave OLD's cones"
    )


lce = compatible_recipe(
    "lce",
    summary="NEW, trained with its classes held where OLD has them",
    settings=_CentreSettings,
)
"""Learning compatible embeddings."""
