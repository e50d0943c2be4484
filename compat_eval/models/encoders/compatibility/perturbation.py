"""Prototype perturbation: OLD's prototypes, moved apart where they are close.

Zhou et al., "Prototype Perturbation for Relaxing Alignment Constraints in
Backward-Compatible Learning", 2025, https://arxiv.org/abs/2503.14824, of which this is
the neighbour-driven form. Where classes are close together in OLD's space, being held
to its prototypes keeps NEW from telling them apart. Each prototype therefore moves away
from its nearest ones, and NEW is trained through the moved ones. Which are near is told
by both models, so that they are made anew before every epoch.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import normalize

from compat_eval.core.errors import UsageError
from compat_eval.models.encoders.compatibility.class_centres import class_centres
from compat_eval.models.encoders.compatibility.objective import (
    Beside,
    VectorLoss,
)
from compat_eval.models.encoders.compatibility.propagation import PrototypeLoss
from compat_eval.models.training.data import OLD_VECTOR


def perturbed_prototypes(
    prototypes: Tensor,
    new_prototypes: Tensor,
    *,
    strength: float = 0.3,
    neighbours: int = 5,
    temperature: float = 0.1,
) -> Tensor:
    """Return unit prototypes that have moved away from their nearest ones.

    p + s·Σ w·(p − q)/‖p − q‖ over the nearest prototypes q, brought to length 1. The
    weights w are the softmax over them of the mean of both models' cosines, divided by
    a temperature: the nearest one drives it away most.

    Args:
        prototypes: OLD's, of length 1, shape (n_classes, d_old).
        new_prototypes: NEW's of these classes, of length 1, shape (n_classes, d_new).
        strength: s; 0 leaves them as they are.
        neighbours: How many others drive one away.
        temperature: Of the weights.

    Raises:
        UsageError: There is no other class, or no neighbour is asked for.

    Examples:
        >>> two = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
        >>> moved = perturbed_prototypes(two, two, strength=0.3, neighbours=1)
        >>> bool((moved[0] @ moved[1]) < (two[0] @ two[1]))
        True

    """
    n = len(prototypes)
    if n < 2 or neighbours < 1:  # noqa: PLR2004 - there must be another one
        raise UsageError(
            f"prototypes are driven apart by at least 1 of {n - 1} others; "
            f"neighbours={neighbours}"
        )
    near = (prototypes @ prototypes.T + new_prototypes @ new_prototypes.T) / 2
    near = near.masked_fill(torch.eye(n, dtype=torch.bool), -torch.inf)
    closest = near.topk(min(neighbours, n - 1), dim=1)
    weights = (closest.values / temperature).softmax(dim=1)
    away = normalize(prototypes.unsqueeze(1) - prototypes[closest.indices], dim=2)
    push = (weights.unsqueeze(2) * away).sum(dim=1)
    return normalize(prototypes + strength * push, dim=1)


@dataclass(frozen=True, slots=True)
class PerturbedTraining:
    """Nats of the task + λ·influence through moved prototypes: a `VectorObjective`.

    Attributes:
        share: λ.
        scale: What cosines with prototypes are multiplied by.
        strength: How far prototypes move.
        neighbours: How many others drive one away.
        temperature: Of how much each of these does.

    """

    share: float = 1.0
    scale: float = 20.0
    strength: float = 0.3
    neighbours: int = 5
    temperature: float = 0.1
    columns: ClassVar[tuple[str, ...]] = (OLD_VECTOR,)

    def beside(self, old: Beside) -> VectorLoss:
        """Return the loss through prototypes that have moved."""
        n = len(old.labels)
        own = class_centres(old.old_vectors, old.gold, n)

        def refined(vectors: Tensor) -> Tensor:
            return perturbed_prototypes(
                own,
                class_centres(vectors, old.gold, n),
                strength=self.strength,
                neighbours=self.neighbours,
                temperature=self.temperature,
            )

        return PrototypeLoss(self.share, self.scale, refined)
