"""Federated averaging: the mean of the clients' weights, each by its samples.

McMahan et al., "Communication-Efficient Learning of Deep Networks from Decentralized
Data", AISTATS 2017, https://arxiv.org/abs/1602.05629.
"""

from dataclasses import dataclass

from torch import Tensor

from compat_eval.federated.algorithms import ServerState


@dataclass(frozen=True, slots=True, kw_only=True)
class FedAvg:
    """A `ServerAlgorithm`.

    Attributes:
        learning_rate: Of the server; 1 is the mean itself.

    """

    learning_rate: float = 1.0

    def init(self, weights: Tensor) -> ServerState:
        """Return the state before the first round."""
        return {"weights": weights}

    def apply(self, state: ServerState, total: Tensor, weight: float) -> ServerState:
        """Return the state after a round."""
        return {"weights": state["weights"] + self.learning_rate * total / weight}
