"""No federation: each client trains alone, and sends what it has.

The global model is the mean of models that never met, for comparison only.
"""

from collections.abc import Sequence

from torch import Tensor

from compat_eval.federated.personal.method import (
    ClientAnswer,
    ClientWork,
    PersonalMethod,
    ServerView,
)
from compat_eval.federated.problem import Problem


class LocalOnly(PersonalMethod):
    """A `PersonalMethod`."""

    def local(
        self, problem: Problem, server: ServerView, work: ClientWork
    ) -> ClientAnswer:
        """Return what a client does in a round."""
        start = work.own.get("weights")
        if start is None:
            start = server.told.get("start", server.weights)
        found = work.descended(problem, start)
        return ClientAnswer(
            client=work.client,
            n=len(work.rows),
            weights=found,
            own={"weights": found},
        )

    def apply(self, server: ServerView, answers: Sequence[ClientAnswer]) -> ServerView:
        """Return the mean, and remember where everybody begins."""
        start = server.told.get("start", server.weights)
        after = super().apply(server, answers)
        return ServerView(weights=after.weights, told={"start": start})

    def personal(
        self, problem: Problem, server: ServerView, work: ClientWork
    ) -> Tensor:
        """Return the client's own weights."""
        return work.own.get("weights", server.told.get("start", server.weights))
