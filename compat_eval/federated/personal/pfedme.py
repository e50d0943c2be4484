"""pFedMe: each step of a client goes towards the minimum of a Moreau envelope.

Dinh et al., "Personalized Federated Learning with Moreau Envelopes", NeurIPS 2020,
https://arxiv.org/abs/2006.08848, algorithm 1: θ nearly minimises loss + λ/2 ‖θ − w‖² on
a batch, and w goes on by η·λ·(θ − w).
"""

from dataclasses import dataclass, replace

from torch import Tensor

from compat_eval.federated.local import batches, descended
from compat_eval.federated.personal.method import (
    ClientAnswer,
    ClientWork,
    Count,
    PersonalMethod,
    Positive,
    ServerView,
    Strength,
)
from compat_eval.federated.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class PFedMe(PersonalMethod):
    """A `PersonalMethod`.

    Attributes:
        strength: λ.
        inner_steps: K, of gradient descent towards each θ.
        outer_rate: η, of the steps of w.

    """

    strength: Strength = 2.0
    inner_steps: Count = 3
    outer_rate: Positive = 0.2

    def local(
        self, problem: Problem, server: ServerView, work: ClientWork
    ) -> ClientAnswer:
        """Return what a client does in a round."""
        inner = replace(work.training, steps=self.inner_steps, proximal=self.strength)
        weights = own = server.weights
        for number, batch in enumerate(batches(work.rows, work.training, work.seed)):
            own = descended(
                problem,
                own,
                batch,
                inner,
                seed=(*work.seed, number),
                towards=weights,
            )
            weights = weights + self.outer_rate * self.strength * (own - weights)
        return ClientAnswer(
            client=work.client, n=len(work.rows), weights=weights, own={"weights": own}
        )

    def personal(
        self, problem: Problem, server: ServerView, work: ClientWork
    ) -> Tensor:
        """Return the client's last θ."""
        return work.own.get("weights", server.weights)
