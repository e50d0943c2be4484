"""Settings of recipes that train a map of vectors, without what trains it."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from compat_eval.mitigations.mitigation import RecipeSettings


class MapSettings(RecipeSettings):
    """How long and how fast a map is trained."""

    epochs: int = Field(20, ge=1, description="passes over the training examples")
    learning_rate: float = Field(1e-3, gt=0, description="peak learning rate")
    batch_size: int = Field(128, ge=2, description="examples of a batch")


class ForwardSettings(MapSettings):
    """The transformation, and what its loss weighs."""

    hidden: int = Field(
        512, ge=1, description="units of its last layers; 2048 in the paper"
    )
    uncertainty: bool = Field(
        default=True,
        description=(
            "whether it learns how far off it is, by the Gaussian likelihood of its "
            "error (FastFill); the squared error alone otherwise (FCT)"
        ),
    )
    discriminative: float = Field(
        1.0,
        ge=0,
        description="weight of the nats of the right class among NEW's class means",
    )
    scale: float = Field(
        20.0, gt=0, description="what cosines with class means are multiplied by"
    )


class OrthogonalSettings(MapSettings):
    """How orthogonal the backward map is, and which map is kept."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {"lam": (0.1, 1.0, 3.0, 12.0)}

    keep: Literal["backward", "forward"] = Field(
        "backward",
        description=(
            "NEW with its vectors in OLD's space, for queries; or OLD with its vectors "
            "where the backward map puts NEW's, for the index"
        ),
    )
    lam: float = Field(
        1.0, ge=0, description="λ: how far from orthogonal costs next to nothing"
    )
    strict: bool = Field(
        default=False, description="whether the backward map is a rotation, whatever λ"
    )
    backward: float = Field(1.0, ge=0, description="weight of B(NEW) − OLD, squared")
    forward: float = Field(1.0, ge=0, description="weight of F(OLD) − B(NEW), squared")
    contrast: float = Field(
        1.0, ge=0, description="weight of the supervised contrast of F(OLD) with both"
    )
    temperature: float = Field(
        0.1, gt=0, description="what cosines of the contrast are divided by"
    )
