"""UniBCT: OLD's prototypes, refined along NEW's neighbourhoods.

Zhang et al., "Towards Universal Backward-Compatible Representation Learning", IJCAI
2022, https://arxiv.org/abs/2203.01583. OLD's vectors of a class are noisy; each takes
up what those have that NEW finds near it, over any number of steps, and their mean is
the row of the frozen classifier (`influence`). Prototypes are made anew after some
epochs.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import normalize

from compat_eval.core.errors import UsageError
from compat_eval.models.encoders.compatibility.influence import influence_loss
from compat_eval.models.encoders.compatibility.objective import (
    Beside,
    EncodedBatch,
    VectorLoss,
)
from compat_eval.models.training.data import OLD_VECTOR


def propagation(affinity: Tensor, share: float) -> Tensor:
    """Return (1 − l)·(I − l·A)⁻¹: the sum over all steps of (1 − l)·lᵗ·Aᵗ.

    Rows add up to 1 where those of A do, and columns likewise; l = 0 is the identity.

    Args:
        affinity: A, shape (n, n), stochastic.
        share: l, in [0, 1): how much goes on at each step.

    Raises:
        UsageError: The share is not in [0, 1).

    """
    if not 0 <= share < 1:
        raise UsageError(f"the share that is propagated must be in [0, 1); got {share}")
    one = torch.eye(len(affinity), dtype=affinity.dtype, device=affinity.device)
    found: Tensor = (1 - share) * torch.linalg.inv(one - share * affinity)
    return found


def affinities(vectors: Tensor, *, temperature: float = 0.05) -> Tensor:
    """Return how near each of NEW's vectors is to each other one; rows add up to 1.

    The softmax of dot products over the temperature, without a vector itself.

    Args:
        vectors: Of one class, at least two, shape (n, d).
        temperature: What dot products are divided by.

    """
    near = vectors @ vectors.T / temperature
    return near.fill_diagonal_(-torch.inf).softmax(dim=1)


def refined_prototypes(
    vectors: Tensor,
    old_vectors: Tensor,
    labels: Tensor,
    n_classes: int,
    *,
    share: float = 0.9,
    temperature: float = 0.05,
) -> Tensor:
    """Return a prototype in OLD's space for each class, shape (n_classes, d_old).

    A class of one vector has that one.

    Raises:
        UsageError: A class has no vector.

    """
    rows = []
    with torch.no_grad():
        for label in range(n_classes):
            at = (labels == label).nonzero().flatten()
            if not len(at):
                raise UsageError(f"class {label} has no vector, so no prototype")
            old = old_vectors[at]
            if len(at) > 1:
                near = affinities(vectors[at], temperature=temperature)
                old = propagation(near, share) @ old
            rows.append(old.mean(dim=0))
    return torch.stack(rows)


@dataclass(slots=True)
class PrototypeLoss:
    """Nats of the task + λ·influence loss through prototypes: a `VectorLoss`.

    Attributes:
        share: λ.
        scale: What cosines with prototypes are multiplied by.
        refined: Makes the prototypes anew of NEW's vectors of all training examples.
        prototypes: As they are now, shape (n_classes, d_old).

    """

    share: float
    scale: float
    refined: Callable[[Tensor], Tensor]
    prototypes: Tensor = field(default_factory=lambda: torch.zeros(0))

    def begin_epoch(self, vectors: Callable[[], Tensor]) -> None:
        """Make the prototypes anew."""
        self.prototypes = self.refined(vectors())

    def __call__(self, batch: EncodedBatch) -> Tensor:
        """Return the mean loss of a batch.

        Raises:
            UsageError: There are no prototypes yet.

        """
        if not len(self.prototypes):
            raise UsageError("prototypes are made by begin_epoch; call it first")
        influence = influence_loss(
            batch.vectors,
            batch.gold,
            self.prototypes,
            normalised=True,
            scale=self.scale,
        )
        return batch.nats() + self.share * influence


@dataclass(frozen=True, slots=True)
class PropagatedTraining:
    """Nats of the task + λ·influence through refined prototypes: a `VectorObjective`.

    Prototypes are made anew before every epoch; the paper does it before two of them.

    Attributes:
        share: λ.
        scale: What cosines with prototypes are multiplied by.
        propagated: l, how much goes on at each step.
        temperature: Of affinities between NEW's unit vectors.

    """

    share: float = 1.0
    scale: float = 20.0
    propagated: float = 0.9
    temperature: float = 0.05
    columns: ClassVar[tuple[str, ...]] = (OLD_VECTOR,)

    def beside(self, old: Beside) -> VectorLoss:
        """Return the loss through OLD's prototypes."""
        old_vectors = normalize(old.old_vectors, dim=1)

        def refined(vectors: Tensor) -> Tensor:
            return refined_prototypes(
                normalize(vectors, dim=1),
                old_vectors,
                old.gold,
                len(old.labels),
                share=self.propagated,
                temperature=self.temperature,
            )

        return PrototypeLoss(self.share, self.scale, refined)
