"""Liu, Johns and Davison, "End-to-End Multi-Task Learning with Attention", CVPR 2019,
https://arxiv.org/abs/1803.10704: dynamic weight average.

A task whose loss fell less than others' between the last two intervals counts more:
w_k = K·softmax_k((L_k(t − 1) / L_k(t − 2)) / T); 1 until there are two intervals. An
interval is what lies between two checks of dev scores.
"""  # noqa: D205 - the paper's title

from collections.abc import Sequence

import torch
from torch import Tensor

from compat_eval.models.multitask.balancing.balancing import Balancing


class DynamicWeightAverage(Balancing):
    """Weights by how fast losses fall.

    Args:
        n_tasks: How many tasks there are.
        temperature: T; the larger, the more equal the weights.

    """

    weights: Tensor
    before: Tensor

    def __init__(self, n_tasks: int, temperature: float = 2.0) -> None:
        super().__init__(n_tasks)
        if not temperature > 0:
            raise ValueError(f"temperature must be above 0, got {temperature}")
        self.temperature = temperature
        self.register_buffer("weights", torch.ones(n_tasks))
        self.register_buffer("before", torch.full((n_tasks,), float("nan")))

    def total(self, losses: Tensor) -> Tensor:
        """Return the weighted sum."""
        return (self.weights * losses).sum()

    def checked(self, losses: Sequence[float]) -> None:
        """Weigh by how much each loss fell since the last interval."""
        now = torch.tensor(losses)
        if not self.before.isnan().any():
            rates = now / self.before.clamp(min=1e-12) / self.temperature
            self.weights = self.n_tasks * rates.softmax(dim=0)
        self.before = now
