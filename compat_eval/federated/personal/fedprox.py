"""FedProx: clients are drawn back to the global weights while they train.

Li et al., "Federated Optimization in Heterogeneous Networks", MLSys 2020,
https://arxiv.org/abs/1812.06127.
"""

from dataclasses import dataclass, replace

from compat_eval.federated.personal.method import (
    ClientAnswer,
    ClientWork,
    PersonalMethod,
    ServerView,
    Strength,
)
from compat_eval.federated.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class FedProx(PersonalMethod):
    """A `PersonalMethod`.

    Attributes:
        proximal: μ.

    """

    proximal: Strength = 0.1

    def local(
        self, problem: Problem, server: ServerView, work: ClientWork
    ) -> ClientAnswer:
        """Return what a client does in a round."""
        near = replace(work.training, proximal=self.proximal)
        work = replace(work, training=near)
        found = work.descended(problem, server.weights, towards=server.weights)
        return ClientAnswer(
            client=work.client, n=len(work.rows), weights=found, own=work.own
        )
