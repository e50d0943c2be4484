"""How a server makes new global weights of what clients send: one algorithm a file.

An algorithm is a `ServerAlgorithm`: its `init` returns the state, and its `apply` the
state after a round, from the sum of the clients' updates and their total weight, so
that the server never needs the update of a single client.
"""

from typing import Protocol

from torch import Tensor

from compat_eval.core.registry import Registry

ServerState = dict[str, Tensor]
"""Tensors by name; `weights` has the global weights."""


class ServerAlgorithm(Protocol):
    """A pair of pure functions."""

    def init(self, weights: Tensor) -> ServerState:
        """Return the state before the first round."""

    def apply(self, state: ServerState, total: Tensor, weight: float) -> ServerState:
        """Return the state after a round.

        Args:
            state: Before it.
            total: Sum over clients of weight times what their weights moved by.
            weight: Sum of the clients' weights, above 0.

        """


ALGORITHMS = Registry(
    group="compat_eval.federated",
    noun="federated algorithm",
    builtin={
        "fedadam": "compat_eval.federated.algorithms.fedadam:FedAdam",
        "fedavg": "compat_eval.federated.algorithms.fedavg:FedAvg",
    },
)
"""Algorithms by name: each a class whose settings are keywords."""
