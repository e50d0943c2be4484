"""Towards OLD's own vectors: the mean squared distance, whole or weakened.

The baseline L2 of Shen et al., "Towards Backward-Compatible Representation Learning",
CVPR 2020, https://arxiv.org/abs/2003.11942; weakened in "MixBCT: Towards Self-Adapting
Backward-Compatible Training", https://arxiv.org/abs/2308.06948.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.linalg import vector_norm
from torch.nn.functional import normalize, relu

from compat_eval.models.encoders.compatibility.objective import (
    Beside,
    EncodedBatch,
    PlainLoss,
    VectorLoss,
)
from compat_eval.models.training.data import OLD_VECTOR


def squared_distance(
    vectors: Tensor, old_vectors: Tensor, *, normalised: bool = True
) -> Tensor:
    """Return the mean squared Euclidean distance, summed over dimensions.

    Args:
        vectors: NEW's, shape (n, d).
        old_vectors: OLD's of the same inputs, shape (n, d).
        normalised: Whether all are first brought to length 1.

    """
    old_vectors = old_vectors.detach()
    if normalised:
        vectors, old_vectors = normalize(vectors, dim=1), normalize(old_vectors, dim=1)
    return ((vectors - old_vectors) ** 2).sum(dim=1).mean()


def weakened_distance(
    vectors: Tensor, old_vectors: Tensor, *, margin: float = 0.2
) -> Tensor:
    """Return by how much unit vectors are farther apart than a margin, in the mean."""
    apart = normalize(vectors, dim=1) - normalize(old_vectors.detach(), dim=1)
    return relu(vector_norm(apart, dim=1) - margin).mean()


@dataclass(frozen=True, slots=True)
class DistanceTraining:
    """τ·nats of the task + λ·distance to OLD's own vector: a `VectorObjective`.

    Attributes:
        share: λ.
        task: τ; published code of the baseline takes 0.
        margin: Where above 0, distances below it cost nothing (the weakened form).

    """

    share: float = 10.0
    task: float = 1.0
    margin: float = 0.0
    columns: ClassVar[tuple[str, ...]] = (OLD_VECTOR,)

    def beside(self, old: Beside) -> VectorLoss:
        """Return the loss; nothing is learned of all examples."""
        return PlainLoss(self._loss)

    def _loss(self, batch: EncodedBatch) -> Tensor:
        if self.margin > 0:
            apart = weakened_distance(
                batch.aligned, batch.old_vectors, margin=self.margin
            )
        else:
            apart = squared_distance(batch.aligned, batch.old_vectors)
        nats = self.task * batch.nats() if self.task else 0.0
        return nats + self.share * apart
