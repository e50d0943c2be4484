"""Contrastive compatibility: OLD's vector of the same input is the positive.

A baseline in the literature on backward-compatible training: NEW's vector must be
nearer to OLD's of the same input than to OLD's of other classes.
"""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from compat_eval.mitigations.train.compatible import compatible_recipe
from compat_eval.mitigations.train.taught import ClassifierRecipeSettings


class _ContrastiveSettings(ClassifierRecipeSettings):
    """How sharp the contrast is, and against what."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {"share": (0.3, 1.0, 3.0)}

    share: float = Field(1.0, ge=0, description="λ, weight beside the task's own loss")
    temperature: float = Field(0.05, gt=0, description="what cosines are divided by")
    hardest: int | None = Field(
        None, ge=1, description="how many negatives count; all by default"
    )


contrastive = compatible_recipe(
    "contrastive",
    summary="NEW, trained to be nearest to OLD's vector of the same input",
    settings=_ContrastiveSettings,
)
"""Contrastive compatibility."""
