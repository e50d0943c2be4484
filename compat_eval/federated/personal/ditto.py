"""Ditto: a client's own model, drawn to the global one while it trains.

Li et al., "Ditto: Fair and Robust Federated Learning Through Personalization", ICML
2021, https://arxiv.org/abs/2012.04221, algorithm 1.
"""

from dataclasses import dataclass, replace

from torch import Tensor

from compat_eval.federated.personal.method import (
    ClientAnswer,
    ClientWork,
    PersonalMethod,
    ServerView,
    Strength,
)
from compat_eval.federated.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Ditto(PersonalMethod):
    """A `PersonalMethod`.

    Attributes:
        strength: λ, of the pull to the global model.

    """

    strength: Strength = 0.5

    def local(
        self, problem: Problem, server: ServerView, work: ClientWork
    ) -> ClientAnswer:
        """Return what a client does in a round: the global step, and its own."""
        found = work.descended(problem, server.weights)
        near = replace(work, training=replace(work.training, proximal=self.strength))
        start = work.own.get("weights", server.weights)
        own = near.descended(problem, start, towards=server.weights)
        return ClientAnswer(
            client=work.client, n=len(work.rows), weights=found, own={"weights": own}
        )

    def personal(
        self, problem: Problem, server: ServerView, work: ClientWork
    ) -> Tensor:
        """Return the client's own weights."""
        return work.own.get("weights", server.weights)
