"""UniBCT: OLD's prototypes, refined along NEW's neighbourhoods.

Zhang et al., "Towards Universal Backward-Compatible Representation Learning", IJCAI
2022, https://arxiv.org/abs/2203.01583. OLD's vectors of a class are noisy; each takes
up what those have that NEW finds near it, over any number of steps, and their mean is
the row of the frozen classifier (`influence`). Prototypes are made anew after some
epochs.
"""

import torch
from torch import Tensor

from compat_eval.core.errors import UsageError


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
