"""Per-FedAvg: a global model from which one step of each client leads far.

Fallah et al., "Personalized Federated Learning with Theoretical Guarantees: A
Model-Agnostic Meta-Learning Approach", NeurIPS 2020, https://arxiv.org/abs/2002.07948,
with the first-order approximation of the gradient.
"""

from dataclasses import dataclass, replace

from torch import Tensor

from compat_eval.federated.local import batches, loss_and_gradient
from compat_eval.federated.personal.method import (
    ClientAnswer,
    ClientWork,
    PersonalMethod,
    Positive,
    ServerView,
)
from compat_eval.federated.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class PerFedAvg(PersonalMethod):
    """A `PersonalMethod`.

    Attributes:
        inner_rate: α, of the step that is looked ahead, and of the client's own step.

    """

    inner_rate: Positive = 0.1

    def local(
        self, problem: Problem, server: ServerView, work: ClientWork
    ) -> ClientAnswer:
        """Return what a client does in a round: look a step ahead, then go."""
        weights = server.weights
        twice = replace(work.training, steps=2 * work.training.steps)
        drawn = batches(work.rows, twice, work.seed)
        for first, second in zip(drawn, drawn, strict=True):
            _, slope = loss_and_gradient(problem, weights, first)
            ahead = weights - self.inner_rate * slope
            _, slope = loss_and_gradient(problem, ahead, second)
            weights = weights - work.training.learning_rate * slope
        return ClientAnswer(
            client=work.client, n=len(work.rows), weights=weights, own=work.own
        )

    def personal(
        self, problem: Problem, server: ServerView, work: ClientWork
    ) -> Tensor:
        """Return the global model after one step of the client, on all its samples."""
        _, slope = loss_and_gradient(problem, server.weights, work.rows)
        return server.weights - self.inner_rate * slope
