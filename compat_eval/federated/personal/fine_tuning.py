"""Federated averaging, then steps of each client from the global model.

The baseline of Yu et al., "Salvaging Federated Learning by Local Adaptation", 2020,
https://arxiv.org/abs/2002.04758. With `share` below 1 only a part of the way is gone.
"""

from dataclasses import dataclass

from torch import Tensor

from compat_eval.federated.personal.method import (
    ClientWork,
    PersonalMethod,
    ServerView,
    Share,
)
from compat_eval.federated.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTuning(PersonalMethod):
    """A `PersonalMethod`.

    Attributes:
        share: Which share of the way from the global model is gone, 1 − λ.

    """

    share: Share = 1.0

    def personal(
        self, problem: Problem, server: ServerView, work: ClientWork
    ) -> Tensor:
        """Return the global model, trained on by the client."""
        found = work.descended(problem, server.weights)
        return server.weights + self.share * (found - server.weights)
