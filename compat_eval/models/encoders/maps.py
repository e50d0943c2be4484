"""Networks that map vectors of one or several models to another model's space."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, normalize, pad

LEAST_VARIANCE = 1e-4
"""Of a transformation's error, so that no example is certain beyond all measure."""


class RotationMap(nn.Module):
    """A square map between spaces, with zeros where one has fewer dimensions.

    Args:
        width: Dimensions of the vectors that it takes.
        to: Dimensions of those that it gives; the last ones are cut where it is fewer.

    """

    def __init__(self, *, width: int, to: int) -> None:
        super().__init__()
        self.sizes: Mapping[str, Any] = {"width": width, "to": to}
        self.matrix = nn.Parameter(torch.eye(max(width, to)))

    def forward(self, vectors: Tensor) -> Tensor:
        """Return unit vectors in the other space, shape (n, to)."""
        given = normalize(vectors, dim=1)
        wide = pad(given, (0, len(self.matrix) - given.shape[1]))
        mapped: Tensor = linear(wide, self.matrix)[:, : self.sizes["to"]]
        return normalize(mapped, dim=1)


class AffineMap(nn.Module):
    """A linear map with an offset.

    Args:
        width: Dimensions of the vectors that it takes.
        to: Dimensions of those that it gives.

    """

    def __init__(self, *, width: int, to: int) -> None:
        super().__init__()
        self.sizes: Mapping[str, Any] = {"width": width, "to": to}
        self.layer = nn.Linear(width, to)

    def forward(self, vectors: Tensor) -> Tensor:
        """Return unit vectors in the other space, shape (n, to)."""
        return normalize(self.layer(normalize(vectors, dim=1)), dim=1)


class ForwardTransformation(nn.Module):
    """From OLD's vectors and side information to NEW's vectors.

    Two branches of two layers each, and three layers over both, with batch
    normalisation and ReLU: Ramanujan et al., "Forward Compatible Training for
    Large-Scale Embedding Retrieval Systems", CVPR 2022,
    https://arxiv.org/abs/2112.02805.

    Args:
        width: Dimensions of OLD's vectors.
        side: Dimensions of the side information; 0 for none.
        to: Dimensions of NEW's vectors.
        hidden: Units of the layers over both; 2048 in the paper.

    """

    def __init__(self, *, width: int, side: int, to: int, hidden: int) -> None:
        super().__init__()
        self.sizes: Mapping[str, Any] = {
            "width": width,
            "side": side,
            "to": to,
            "hidden": hidden,
        }
        self.of_old = _layers(width, 2 * width, 2 * to)
        self.of_side = _layers(side, 2 * side, 2 * to) if side else None
        both = 4 * to if side else 2 * to
        self.over_both = _layers(both, hidden, hidden)
        self.vector = nn.Linear(hidden, to)
        self.log_variance = nn.Linear(hidden, 1)

    def forward(self, vectors: Tensor) -> Tensor:
        """Return unit vectors in NEW's space, shape (n, to)."""
        return self.with_uncertainty(vectors)[0]

    def with_uncertainty(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Return vectors, and the variance of their error that is expected.

        Args:
            vectors: OLD's vectors with the side information behind them, shape (n,
                width + side).

        Returns:
            Shapes (n, to) and (n,).

        """
        width = self.sizes["width"]
        old, side = vectors[:, :width], vectors[:, width:]
        states = [self.of_old(normalize(old, dim=1))]
        if self.of_side is not None:
            states.append(self.of_side(normalize(side, dim=1)))
        state = self.over_both(torch.cat(states, dim=1))
        variance = self.log_variance(state).squeeze(1).exp() + LEAST_VARIANCE
        return normalize(self.vector(state), dim=1), variance


MAPS = {
    "rotation": RotationMap,
    "affine": AffineMap,
    "forward": ForwardTransformation,
}
"""By the name that config.json gives them."""


def _layers(*sizes: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU()]
    return nn.Sequential(*layers)
