"""Learning compatible embeddings (LCE): classes stay where OLD has them.

Meng et al., "Learning Compatible Embeddings", ICCV 2021,
https://arxiv.org/abs/2108.01958. Alignment draws the rows of NEW's classifier to OLD's
class centres; the boundary keeps each of NEW's vectors inside the cone that OLD's
vectors of its class fill. The two have weights 100 and 1 beside the loss of the task.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import mse_loss, normalize, relu

from compat_eval.models.encoders.compatibility.objective import (
    Beside,
    EncodedBatch,
    PlainLoss,
    VectorLoss,
    in_dimensions,
)
from compat_eval.models.training.data import OLD_VECTOR


def class_centres(old_vectors: Tensor, labels: Tensor, n_classes: int) -> Tensor:
    """Return OLD's class centres, of length 1, shape (n_classes, d); 0 without data."""
    unit = normalize(old_vectors.detach(), dim=1)
    sums = unit.new_zeros(n_classes, unit.shape[1]).index_add_(0, labels, unit)
    return normalize(sums, dim=1)


def boundaries(old_vectors: Tensor, labels: Tensor, centres: Tensor) -> Tensor:
    """Return the smallest cosine of any of OLD's vectors to its class centre.

    Shape (n_classes,); −1, which bounds nothing, for a class without vectors.
    """
    cosines = (normalize(old_vectors.detach(), dim=1) * centres[labels]).sum(dim=1)
    floor = cosines.new_ones(len(centres))
    floor = floor.scatter_reduce(0, labels, cosines, "amin")
    known = torch.bincount(labels, minlength=len(centres)) > 0
    return torch.where(known, floor, -1.0)


def alignment_loss(new_rows: Tensor, centres: Tensor) -> Tensor:
    """Return the mean squared difference of NEW's classifier, of unit rows, to centres.

    The mean over classes and dimensions.
    """
    return mse_loss(normalize(new_rows, dim=1), centres)


def boundary_loss(
    vectors: Tensor, labels: Tensor, centres: Tensor, floors: Tensor
) -> Tensor:
    """Return by how much NEW's vectors leave their class's cone, in the mean.

    Args:
        vectors: NEW's, shape (n, d), of any length but 0.
        labels: Classes, shape (n,).
        centres: Of `class_centres`.
        floors: Of `boundaries`.

    """
    cosines = (normalize(vectors, dim=1) * centres[labels]).sum(dim=1)
    return relu(floors[labels] - cosines).mean()


@dataclass(frozen=True, slots=True)
class CentreTraining:
    """Nats of the task + λ₁·alignment + λ₂·boundary (LCE): a `VectorObjective`.

    Attributes:
        align: λ₁.
        bound: λ₂.

    """

    align: float = 100.0
    bound: float = 1.0
    columns: ClassVar[tuple[str, ...]] = (OLD_VECTOR,)

    def beside(self, old: Beside) -> VectorLoss:
        """Return the loss around OLD's class centres."""
        centres = class_centres(old.old_vectors, old.gold, len(old.labels))
        floors = boundaries(old.old_vectors, old.gold, centres)

        def loss(batch: EncodedBatch) -> Tensor:
            rows = in_dimensions(
                batch.classifier("lce").get_parameter("weight"), centres.shape[1]
            )
            return (
                batch.nats()
                + self.align * alignment_loss(rows, centres)
                + self.bound * boundary_loss(batch.aligned, batch.gold, centres, floors)
            )

        return PlainLoss(loss)
