"""λ-orthogonality: a map between spaces that may leave orthogonality by a bounded way.

Ricci et al., "λ-Orthogonality Regularization for Compatible Representation Learning",
NeurIPS 2025, https://arxiv.org/abs/2509.16664. A strictly orthogonal map leaves all of
NEW's own rankings as they are; λ says how far it may go from there to fit better.
"""

import torch
from torch import Tensor
from torch.linalg import matrix_exp, matrix_norm


def orthogonality_loss(matrix: Tensor, *, lam: float, sharpness: float = 1.0) -> Tensor:
    """Return σ(a·(‖W·Wᵀ − I‖ − λ)) · ‖W·Wᵀ − I‖, of Frobenius norms.

    Args:
        matrix: W, shape (d, d).
        lam: λ: distances well below it cost next to nothing.
        sharpness: a: how sudden it begins.

    """
    one = torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)
    apart: Tensor = matrix_norm(matrix @ matrix.T - one)
    return torch.sigmoid(sharpness * (apart - lam)) * apart


def strictly_orthogonal(free: Tensor) -> Tensor:
    """Return exp(P − Pᵀ) of any square P: the matrix of a rotation, to be trained."""
    found: Tensor = matrix_exp(free - free.T)
    return found
