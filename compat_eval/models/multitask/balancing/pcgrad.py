"""Yu et al., "Gradient Surgery for Multi-Task Learning", NeurIPS 2020,
https://arxiv.org/abs/2001.06782.

Where the gradients of two tasks point against each other, the part of the one that lies
along the other is taken away; the others are met in random order, as they were before
any surgery. The results are added up.
"""  # noqa: D205 - the paper's title

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from compat_eval.models.multitask.balancing.balancing import Balancing


def without_conflicts(gradients: Tensor, orders: Sequence[Sequence[int]]) -> Tensor:
    """Return each task's gradient without what points against the others'.

    Args:
        gradients: Shape (n_tasks, n_weights).
        orders: In which order each task meets the others; its own number is skipped.

    Examples:
        >>> g = torch.tensor([[1.0, 0.0], [-1.0, 1.0]])
        >>> without_conflicts(g, [[1], [0]]).tolist()
        [[0.5, 0.5], [0.0, 1.0]]

    """
    squares = (gradients * gradients).sum(dim=1)
    mended = gradients.clone()
    for task, order in enumerate(orders):
        for other in order:
            along = torch.dot(mended[task], gradients[other])
            if other != task and along < 0:
                mended[task] -= along / squares[other] * gradients[other]
    return mended


class PCGrad(Balancing):
    """Projects conflicting gradients."""

    def backward(self, losses: Sequence[Tensor], trunk: nn.Module) -> None:
        """Set the gradients: of the trunk by surgery, of the heads as they are."""
        shared = [one for one in trunk.parameters() if one.requires_grad]
        gradients = torch.stack([_flat(loss, shared) for loss in losses])
        orders = [torch.randperm(self.n_tasks).tolist() for _ in losses]
        mended = without_conflicts(gradients, orders).sum(dim=0)
        pieces = torch.split(mended, [one.numel() for one in shared])
        for one, piece in zip(shared, pieces, strict=True):
            one.grad = piece.view_as(one)


def _flat(loss: Tensor, shared: Sequence[nn.Parameter]) -> Tensor:
    """Return a loss's gradient by the trunk; add that by its head where it belongs."""
    for one in shared:
        one.grad = None
    torch.autograd.backward(loss, retain_graph=True)
    return torch.cat(
        [
            torch.zeros(one.numel()) if one.grad is None else one.grad.flatten()
            for one in shared
        ]
    )
