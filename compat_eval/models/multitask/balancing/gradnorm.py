"""Chen et al., "GradNorm: Gradient Normalization for Adaptive Loss Balancing", ICML
2018, https://arxiv.org/abs/1711.02257.

G_k = ‖w_k·∇L_k‖ at the last shared layer is moved towards mean(G)·r_k^α, where r_k is
L_k / L_k(0) divided by its mean over tasks: what learned less gets more gradient.
Weights are K·softmax of learned numbers, so that they stay positive and sum to K.
"""  # noqa: D205 - the paper's title

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from compat_eval.models.multitask.balancing.balancing import Balancing


class GradNorm(Balancing):
    """Weights that even out the norms of gradients.

    Args:
        n_tasks: How many tasks there are.
        alpha: How strongly tasks that learn slowly are pulled up.

    """

    first: Tensor

    def __init__(self, n_tasks: int, alpha: float = 1.5) -> None:
        super().__init__(n_tasks)
        self.alpha = alpha
        self.scores = nn.Parameter(torch.zeros(n_tasks))
        self.register_buffer("first", torch.full((n_tasks,), float("nan")))

    def weights(self) -> Tensor:
        """Return the weight of each task."""
        return self.n_tasks * self.scores.softmax(dim=0)

    def imbalance(self, losses: Tensor, norms: Tensor) -> Tensor:
        """Return how far the weighted norms are from where they should be.

        Args:
            losses: Of all tasks now, shape (n_tasks,).
            norms: ‖∇L_k‖ of each, without its weight.

        """
        weighted = self.weights() * norms
        rates = losses / self.first.clamp(min=1e-12)
        rates = rates / rates.mean().clamp(min=1e-12)
        aims = (weighted.mean() * rates**self.alpha).detach()
        return (weighted - aims).abs().sum()

    def backward(self, losses: Sequence[Tensor], trunk: nn.Module) -> None:
        """Set the gradients of the network, and those of the weights."""
        last: Tensor = trunk.last  # type: ignore[assignment]
        values = torch.stack(list(losses))
        if self.first.isnan().any():
            self.first = values.detach().clone()
        norms = [
            torch.autograd.grad(loss, last, retain_graph=True)[0].norm()
            for loss in losses
        ]
        imbalance = self.imbalance(values.detach(), torch.stack(norms).detach())
        (self.scores.grad,) = torch.autograd.grad(imbalance, self.scores)
        torch.autograd.backward((self.weights().detach() * values).sum())
