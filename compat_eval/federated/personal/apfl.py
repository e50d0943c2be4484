"""APFL: a client's own model, mixed with the global one in a share that it learns.

Deng et al., "Adaptive Personalized Federated Learning", 2020,
https://arxiv.org/abs/2003.13461, algorithm 1: the client's model is v̄ = α·v + (1 − α)·w
with w the global model as it trains it, and α moves down the slope of v̄'s loss.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from compat_eval.federated.local import batches, loss_and_gradient
from compat_eval.federated.personal.method import (
    ClientAnswer,
    ClientWork,
    PersonalMethod,
    ServerView,
    Share,
)
from compat_eval.federated.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Apfl(PersonalMethod):
    """A `PersonalMethod`.

    Attributes:
        share: α at first, in [0, 1].
        adaptive: Whether α is learnt, once a round.

    """

    share: Share = 0.5
    adaptive: bool = True

    def local(
        self, problem: Problem, server: ServerView, work: ClientWork
    ) -> ClientAnswer:
        """Return what a client does in a round."""
        rate, weights = work.training.learning_rate, server.weights
        own = work.own.get("weights", server.weights)
        share = float(work.own.get("share", torch.tensor(self.share)))
        drawn = batches(work.rows, work.training, work.seed)
        for number, batch in enumerate(drawn):
            _, slope = loss_and_gradient(problem, weights, batch)
            weights = weights - rate * slope
            mixed = share * own + (1 - share) * weights
            _, slope = loss_and_gradient(problem, mixed, batch)
            if self.adaptive and not number:
                share -= rate * float((own - weights) @ slope)
                share = min(max(share, 0.0), 1.0)
            own = own - rate * share * slope
        return ClientAnswer(
            client=work.client,
            n=len(work.rows),
            weights=weights,
            own={"weights": own, "share": torch.tensor(share)},
        )

    def personal(
        self, problem: Problem, server: ServerView, work: ClientWork
    ) -> Tensor:
        """Return the mixture of the client's model and the global one."""
        if not work.own:
            return server.weights
        share = float(work.own["share"])
        return share * work.own["weights"] + (1 - share) * server.weights
