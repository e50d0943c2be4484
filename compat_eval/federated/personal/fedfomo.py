"""FedFomo: each client mixes the others' models by how much they help it.

Zhang et al., "Personalized Federated Learning with First Order Model Optimization",
ICLR 2021, https://arxiv.org/abs/2012.08565, equation 4: client i moves towards model n
by max(0, (L_i(own) − L_i(n)) / ‖n − own‖), normalised, L_i being its loss on samples
that it puts aside. The server sees single models, so no secure sum is possible.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from compat_eval.federated.local import loss_and_gradient
from compat_eval.federated.personal.method import (
    ClientAnswer,
    ClientWork,
    PersonalMethod,
    ServerView,
    Share,
)
from compat_eval.federated.problem import Problem

_NEAR = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class FedFomo(PersonalMethod):
    """A `PersonalMethod`.

    Attributes:
        aside: Share of a client's samples by which it judges models; at least one.

    """

    aside: Share = 0.2

    def local(
        self, problem: Problem, server: ServerView, work: ClientWork
    ) -> ClientAnswer:
        """Return what a client does in a round: mix, then train."""
        start = self._mixed(problem, server, work)
        own = replace(work, rows=self._split(work.rows)[0])
        found = own.descended(problem, start)
        return ClientAnswer(
            client=work.client, n=len(work.rows), weights=found, own={"weights": found}
        )

    def apply(self, server: ServerView, answers: Sequence[ClientAnswer]) -> ServerView:
        """Return the mean, and all models, which clients choose among."""
        after = PersonalMethod.apply(self, server, answers)
        models = torch.stack([one.weights for one in answers])
        return ServerView(weights=after.weights, told={"models": models})

    def personal(
        self, problem: Problem, server: ServerView, work: ClientWork
    ) -> Tensor:
        """Return the client's mixture."""
        return self._mixed(problem, server, work)

    def _mixed(self, problem: Problem, server: ServerView, work: ClientWork) -> Tensor:
        own = work.own.get("weights")
        if own is None or "models" not in server.told:
            return server.weights
        rows = self._split(work.rows)[1]
        loss, _ = loss_and_gradient(problem, own, rows)
        gains = []
        for model in server.told["models"]:
            theirs, _ = loss_and_gradient(problem, model, rows)
            apart = float((model - own).norm())
            gains.append(max(0.0, (loss - theirs) / apart) if apart > _NEAR else 0.0)
        total = sum(gains)
        if not total:
            return own
        moved = torch.zeros_like(own)
        for gain, model in zip(gains, server.told["models"], strict=True):
            moved += gain / total * (model - own)
        return own + moved

    def _split(self, rows: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
        n = max(1, round(self.aside * len(rows)))
        return (rows[:-n], rows[-n:]) if len(rows) > n else (rows, rows)
