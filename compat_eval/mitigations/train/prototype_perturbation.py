"""Prototype perturbation: through OLD's prototypes, moved apart where they are close.

Zhou et al., "Prototype Perturbation for Relaxing Alignment Constraints in
Backward-Compatible Learning", 2025, https://arxiv.org/abs/2503.14824; the
neighbour-driven form, made anew before every epoch.
"""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from compat_eval.mitigations.train.compatible import compatible_recipe
from compat_eval.mitigations.train.taught import ClassifierRecipeSettings


class _PerturbedSettings(ClassifierRecipeSettings):
    """How far prototypes move, and what their loss weighs."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {
        "share": (0.3, 1.0, 3.0, 10.0),
        "strength": (0.1, 0.3, 1.0),
    }

    share: float = Field(1.0, ge=0, description="λ, weight beside the task's own loss")
    scale: float = Field(
        20.0, gt=0, description="what cosines with prototypes are multiplied by"
    )
    strength: float = Field(0.3, ge=0, description="how far prototypes move")
    neighbours: int = Field(5, ge=1, description="how many others drive one away")
    temperature: float = Field(
        0.1, gt=0, description="of how much each of these does; low for the nearest"
    )


prototype_perturbation = compatible_recipe(
    "prototype-perturbation",
    summary="NEW, trained through prototypes of OLD that are moved apart",
    settings=_PerturbedSettings,
)
"""Through prototypes that are moved apart."""
