"""UniBCT: through OLD's prototypes, refined along NEW's neighbourhoods.

Zhang et al., "Towards Universal Backward-Compatible Representation Learning", IJCAI
2022, https://arxiv.org/abs/2203.01583. Prototypes are made anew before every epoch.
"""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from compat_eval.mitigations.train.compatible import compatible_recipe
from compat_eval.mitigations.train.taught import ClassifierRecipeSettings


class _PropagatedSettings(ClassifierRecipeSettings):
    """How prototypes are refined, and what their loss weighs."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {"share": (0.3, 1.0, 3.0, 10.0)}

    share: float = Field(1.0, ge=0, description="λ, weight beside the task's own loss")
    scale: float = Field(
        20.0, gt=0, description="what cosines with prototypes are multiplied by"
    )
    propagated: float = Field(
        0.9, ge=0, lt=1, description="how much of OLD's vectors goes on at each step"
    )
    temperature: float = Field(
        0.05, gt=0, description="of affinities between NEW's vectors"
    )


unibct = compatible_recipe(
    "unibct",
    summary="NEW, trained through OLD's prototypes, refined by NEW",
    settings=_PropagatedSettings,
)
"""Through prototypes that NEW refines."""
