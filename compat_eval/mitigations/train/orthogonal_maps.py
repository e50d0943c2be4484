"""A backward and a forward map of vectors, trained together.

Ricci et al., NeurIPS 2025, https://arxiv.org/abs/2509.16664. The recipe is in
`lambda_orthogonal.py`.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from compat_eval.mitigations.mitigation import Training
from compat_eval.mitigations.train.map_settings import OrthogonalSettings
from compat_eval.mitigations.train.mapping import classes_of, rows_of, train_map
from compat_eval.models.encoders.compatibility.contrastive import supervised_loss
from compat_eval.models.encoders.compatibility.orthogonality import (
    orthogonality_loss,
    strictly_orthogonal,
)
from compat_eval.models.encoders.maps import AffineMap, RotationMap
from compat_eval.models.training.loop import seeded


class BothMaps(nn.Module):
    """The backward map and the forward map.

    Args:
        old: Dimensions of OLD's vectors.
        new: Dimensions of NEW's.
        strict: Whether the backward map is exp(P − Pᵀ) of a free matrix P.

    """

    def __init__(self, *, old: int, new: int, strict: bool) -> None:
        super().__init__()
        self.backward_map = RotationMap(width=new, to=old)
        self.forward_map = AffineMap(width=old, to=old)
        self.strict = strict
        if strict:
            size = len(self.backward_map.matrix)
            self.backward_map.matrix.requires_grad = False
            self.free = nn.Parameter(torch.zeros(size, size))

    def settle(self) -> None:
        """Write the rotation of the free matrix into the backward map."""
        if self.strict:
            with torch.no_grad():
                self.backward_map.matrix.copy_(strictly_orthogonal(self.free))

    def backward_vectors(self, new: Tensor) -> Tensor:
        """Return B(NEW), of unit vectors."""
        matrix: Tensor = self.backward_map.matrix
        if self.strict:
            matrix = strictly_orthogonal(self.free)
        mapped: Tensor = torch.func.functional_call(
            self.backward_map, {"matrix": matrix}, (new,)
        )
        return mapped


def train_orthogonal_maps(training: Training, settings: OrthogonalSettings) -> str:
    """Train both maps, keep one of them; return the model's reference."""
    examples = training.examples
    old = normalize(rows_of(training.answers, examples, "OLD"), dim=1)
    new = rows_of(training.ask(training.new, examples), examples, "NEW")
    gold = classes_of(examples)
    maps = seeded(
        lambda: BothMaps(old=old.shape[1], new=new.shape[1], strict=settings.strict),
        training.seed,
    )

    def loss(rows: Sequence[int]) -> Tensor:
        some = list(rows)
        target, right = old[some], gold[some]
        back = maps.backward_vectors(new[some])
        ahead = maps.forward_map(target)
        total: Tensor = settings.backward * ((back - target) ** 2).sum(dim=1).mean()
        total = total + settings.forward * ((ahead - back) ** 2).sum(dim=1).mean()
        if settings.contrast:
            for other in (back, target):
                total = total + settings.contrast * supervised_loss(
                    ahead, other, right, temperature=settings.temperature
                )
        if not settings.strict:
            matrix = maps.backward_map.matrix
            total = total + orthogonality_loss(matrix, lam=settings.lam)
        maps.settle()
        return total

    backward = settings.keep == "backward"
    return train_map(
        training,
        settings,
        method="lambda-orthogonal",
        network=maps,
        loss=loss,
        kept=("rotation", maps.backward_map)
        if backward
        else ("affine", maps.forward_map),
        members=[training.new if backward else training.old],
    )
