"""λ-orthogonal maps: two models stay, and maps bring their vectors together.

Ricci et al., "λ-Orthogonality Regularization for Compatible Representation Learning",
NeurIPS 2025, https://arxiv.org/abs/2509.16664. A backward map B brings NEW's queries to
OLD's index, as near to orthogonal as λ says: a strictly orthogonal one leaves NEW's own
rankings as they are. A forward map F brings OLD's index to where B puts NEW's vectors.
Both are trained together; one of them is kept as a model.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import normalize

from compat_eval.mitigations.mitigation import Recipe, Training
from compat_eval.mitigations.train.mapping import MapSettings, rows_of, train_map
from compat_eval.models.encoders.compatibility.contrastive import supervised_loss
from compat_eval.models.encoders.compatibility.orthogonality import (
    orthogonality_loss,
    strictly_orthogonal,
)
from compat_eval.models.encoders.maps import AffineMap, RotationMap
from compat_eval.models.training.loop import seeded
from compat_eval.runner.questions import Embed


class _OrthogonalSettings(MapSettings):
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


def _train(training: Training, settings: _OrthogonalSettings) -> str:
    examples = training.examples
    old = normalize(rows_of(training.answers, examples, "OLD"), dim=1)
    new = rows_of(training.ask(training.new, examples), examples, "NEW")
    labels = examples.column("gold").to_pylist()
    number = {label: at for at, label in enumerate(sorted(set(labels)))}
    gold = torch.tensor([number[label] for label in labels])
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


lambda_orthogonal = Recipe(
    name="lambda-orthogonal",
    summary="NEW as it is, with a nearly orthogonal map of its vectors to OLD's space",
    needs="vectors of OLD and NEW; a suite with a training split",
    settings=_OrthogonalSettings,
    train=_train,
    asks=Embed(),
    # The index that the forward map makes is for queries of the backward map.
    stands_for=lambda settings: "queries" if settings.keep == "backward" else None,
)
"""λ-orthogonal maps."""
