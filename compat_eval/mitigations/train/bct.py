"""Backward-compatible training: NEW also through OLD's frozen classifier.

Shen et al., "Towards Backward-Compatible Representation Learning", CVPR 2020,
https://arxiv.org/abs/2003.11942. Beside the loss of its own classifier NEW has that of
OLD's, which is held fixed. Classes that OLD lacks get rows that are means of OLD's
vectors.
"""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from compat_eval.mitigations.mitigation import Training
from compat_eval.mitigations.train.compatible import compatible_recipe
from compat_eval.mitigations.train.earlier import directory_of
from compat_eval.mitigations.train.taught import ClassifierRecipeSettings
from compat_eval.models.training.data import RowsOf


class _BctSettings(ClassifierRecipeSettings):
    """Of what OLD's classifier is made, and what its loss weighs."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {"share": (0.3, 1.0, 3.0, 10.0)}

    rows: RowsOf = Field(
        "centroids-all",
        description=(
            "of OLD's frozen classifier: means of OLD's vectors for all classes; OLD's "
            "own rows and such means for classes that it lacks; or its own rows alone, "
            "which leaves new classes incompatible"
        ),
    )
    share: float = Field(1.0, ge=0, description="λ, weight beside the task's own loss")
    normalised: bool = Field(
        default=True, description="whether vectors and rows are brought to length 1"
    )
    scale: float = Field(
        20.0, gt=0, description="what logits of OLD's classifier are multiplied by"
    )
    task: float = Field(1.0, ge=0, description="weight of the task's own loss")
    distance: float = Field(
        0.0,
        ge=0,
        description=(
            "weight of the squared distance to OLD's vectors, as for a small encoder "
            "of queries beside a large one of the index"
        ),
    )


def _old_rows(training: Training, settings: _BctSettings) -> dict[str, str]:
    if settings.rows == "centroids-all":
        return {}
    return {"old": str(directory_of(training.old))}


bct = compatible_recipe(
    "bct",
    summary="NEW, trained so that OLD's frozen classifier reads its vectors, too",
    settings=_BctSettings,
    more=_old_rows,
)
"""Backward-compatible training."""
