"""Kendall, Gal and Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses",
CVPR 2018, https://arxiv.org/abs/1705.07115.

A task k has a log variance s_k that is learned: Σ L_k / (2·exp(s_k)) + s_k / 2.
"""  # noqa: D205 - the paper's title

import torch
from torch import Tensor, nn

from compat_eval.models.multitask.balancing.balancing import Balancing


class UncertaintyWeights(Balancing):
    """Weights that are learned as variances.

    Args:
        n_tasks: How many tasks there are.
        start: Log variance of every task at the start.

    """

    def __init__(self, n_tasks: int, start: float = -0.5) -> None:
        super().__init__(n_tasks)
        self.log_variances = nn.Parameter(torch.full((n_tasks,), float(start)))

    def total(self, losses: Tensor) -> Tensor:
        """Return the weighted sum and the price of a large variance."""
        weighted = losses / (2 * self.log_variances.exp())
        return (weighted + self.log_variances / 2).sum()
