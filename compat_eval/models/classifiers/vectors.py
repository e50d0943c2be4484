"""What classifiers make of inputs before their last layer, and how that is read.

Every classifier here makes a vector of an input, and one last layer of it reads that. A
linear map may stand between, so that vectors have a dimension of their own.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import linear, normalize

from compat_eval.core.arrays import Values
from compat_eval.models.classifiers.training import ClassifierSettings
from compat_eval.models.training.loop import parameter_groups


class EncoderSettings(ClassifierSettings):
    """What vectors a classifier makes on the way, and how it reads them."""

    projection: int = Field(default=0, ge=0)
    """Dimensions of its vectors, by a linear map to them; 0 for no map."""
    cosine: float = Field(default=0.0, ge=0)
    """What cosines of vectors with a row for each label are multiplied by, to be
    logits; 0 for a linear layer. Such vectors are made to be compared by cosine."""

    head_scale: float = Field(default=1.0, gt=0)
    """Learning rate of the last layer, as a multiple of that of the rest."""

    def groups(self, network: nn.Module) -> list[dict[str, Any]]:
        """Return a network's parameters, its last layer's with their own rate."""
        return parameter_groups(network, "head.", scale=self.head_scale)


class CosineHead(nn.Module):
    """Logits that are cosines with a row for each label, times a scale.

    Wang et al., "NormFace", ACM Multimedia 2017, https://arxiv.org/abs/1704.06369.

    Args:
        width: Numbers in a vector.
        n_labels: How many labels there are.
        scale: What cosines are multiplied by.

    """

    def __init__(self, width: int, n_labels: int, scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_labels, width) / width**0.5)
        self.scale = scale

    def forward(self, vectors: Tensor) -> Tensor:
        """Return logits, shape (n_items, n_labels)."""
        rows = normalize(self.weight, dim=1)
        return self.scale * linear(normalize(vectors, dim=1), rows)


def made_head(width: int, n_labels: int, cosine: float) -> CosineHead | nn.Linear:
    """Return a last layer; `cosine` is 0 for a linear one."""
    if cosine:
        return CosineHead(width, n_labels, cosine)
    return nn.Linear(width, n_labels)


def made_projection(width: int, projection: int) -> nn.Module:
    """Return the map from an encoder's states to vectors; none for 0."""
    return nn.Linear(width, projection) if projection else nn.Identity()


def label_axes_of(network: nn.Module) -> dict[str, int]:
    """Return the tensors of a network's `head` that have an entry for each label."""
    head = network.get_submodule("head")
    return {f"head.{name}": 0 for name, _ in head.named_parameters()}


def embedded(
    vectors: Callable[[Sequence[Any]], Tensor],
    items: Sequence[Any],
    *,
    width: int,
) -> Values:
    """Return vectors of items as numbers, shape (n_items, width); nan for errors.

    Args:
        vectors: Of the network.
        items: What it reads; one with an `error` has no vector.
        width: Numbers in a vector.

    """
    if not items:
        return np.zeros((0, width))
    with torch.inference_mode():
        found = np.array(vectors(items).cpu().numpy(), np.float64)
    wrong = [getattr(item, "error", None) is not None for item in items]
    found[wrong] = np.nan
    return found
