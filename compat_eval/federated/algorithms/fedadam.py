"""FedAdam: the mean of the clients' updates as the gradient of an adaptive step.

Reddi et al., "Adaptive Federated Optimization", ICLR 2021,
https://arxiv.org/abs/2003.00295, algorithm 2; as there, without correction of the
moments' bias.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from compat_eval.federated.algorithms import ServerState


@dataclass(frozen=True, slots=True, kw_only=True)
class FedAdam:
    """A `ServerAlgorithm`.

    Attributes:
        learning_rate: Of the server, η.
        beta_1: Of the first moment.
        beta_2: Of the second.
        adaptivity: τ, added to the root of the second moment.

    """

    learning_rate: float = 0.01
    beta_1: float = 0.9
    beta_2: float = 0.99
    adaptivity: float = 1e-3

    def init(self, weights: Tensor) -> ServerState:
        """Return the state before the first round."""
        return {
            "weights": weights,
            "first": torch.zeros_like(weights),
            "second": torch.full_like(weights, self.adaptivity**2),
        }

    def apply(self, state: ServerState, total: Tensor, weight: float) -> ServerState:
        """Return the state after a round."""
        mean = total / weight
        first = self.beta_1 * state["first"] + (1 - self.beta_1) * mean
        second = self.beta_2 * state["second"] + (1 - self.beta_2) * mean.square()
        step = self.learning_rate * first / (second.sqrt() + self.adaptivity)
        return {"weights": state["weights"] + step, "first": first, "second": second}
