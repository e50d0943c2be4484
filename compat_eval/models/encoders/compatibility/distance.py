"""Towards OLD's own vectors: the mean squared distance, whole or weakened.

The baseline L2 of Shen et al., "Towards Backward-Compatible Representation Learning",
CVPR 2020, https://arxiv.org/abs/2003.11942; weakened in "MixBCT: Towards Self-Adapting
Backward-Compatible Training", https://arxiv.org/abs/2308.06948.
"""

from torch import Tensor
from torch.linalg import vector_norm
from torch.nn.functional import normalize, relu


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
