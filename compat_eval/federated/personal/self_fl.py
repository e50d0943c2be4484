"""Self-aware personalisation: each client as far from the global model as it is sure.

Chen et al., "Self-Aware Personalized Federated Learning", NeurIPS 2022,
https://arxiv.org/abs/2204.08069; the formulas are in `shrinkage`. How the variances are
estimated for deep networks is not public. A window of what a client found in its last
rounds tells how much the optimiser moves, and of a client that fits few samples
perfectly nothing; the number of samples tells how much data there is, and nothing of
the level. So the level comes from the window, over all clients, and `window` says how
far each client's own window counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from compat_eval.core.arrays import Values
from compat_eval.federated.local import LocalTraining, descended
from compat_eval.federated.personal.method import (
    ClientAnswer,
    ClientWork,
    Count,
    Named,
    PersonalMethod,
    Positive,
    ServerView,
    Share,
    mean,
)
from compat_eval.federated.personal.shrinkage import (
    Uncertainty,
    between_variance,
    others_mean,
    within_variance,
)
from compat_eval.federated.problem import Problem

_SMALLEST = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfFL(PersonalMethod):
    """A `PersonalMethod`.

    Attributes:
        window: w in σ_m² ∝ (own window)^w · (1/n_m)^(1−w): 1 is the window alone, 0 the
            number of samples alone.
        length: Of the window, in rounds.
        weights: Of clients in the global model: `precision`, 1/(σ₀² + σ_m²), or `size`.
        cap: Greatest weight, as a multiple of the mean one.
        begin: Where clients begin: at the `global` model, or at that of the `others`.
        end: How they end: `interpolate` between what they found and the global model,
            or `stop` when they have gone as far.

    """

    window: Share = 0.0
    length: Count = 5
    weights: Literal["precision", "size"] = "precision"
    cap: Positive = 4.0
    begin: Literal["global", "others"] = "global"
    end: Literal["interpolate", "stop"] = "interpolate"

    def local(
        self, problem: Problem, server: ServerView, work: ClientWork
    ) -> ClientAnswer:
        """Return what a client does in a round."""
        found = work.descended(problem, self._start(server, work))
        seen = work.own.get("window")
        window = found[None] if seen is None else torch.cat([seen, found[None]])
        window = window[-self.length :]
        varies = within_variance(window.numpy().astype(np.float64))
        return ClientAnswer(
            client=work.client,
            n=len(work.rows),
            weights=found,
            own={"window": window},
            told={"varies": varies},
        )

    def apply(self, server: ServerView, answers: Sequence[ClientAnswer]) -> ServerView:
        """Return the weighted mean, and how uncertain each client is."""
        sizes = np.array([one.n for one in answers], np.float64)
        varies = np.array([one.told["varies"] for one in answers])
        clients = torch.tensor([one.client for one in answers])
        if len(answers) == 1 or np.isnan(varies).any():
            weights = torch.from_numpy(sizes / sizes.sum())
            return ServerView(weights=mean(answers, weights), told=server.told)
        within = self._within(varies, sizes)
        found = torch.stack([one.weights for one in answers]).numpy()
        between = between_variance(found.astype(np.float64), within)
        uncertainty = Uncertainty(between=between, within=within)
        shares = uncertainty.weights if self.weights == "precision" else sizes
        shares = np.minimum(shares / shares.mean(), self.cap)
        shares = shares / shares.sum()
        known = {
            "weights": torch.from_numpy(shares),
            "to_global": torch.from_numpy(uncertainty.to_global),
        }
        return ServerView(
            weights=mean(answers, known["weights"]),
            told=_with(server.told, clients, known),
        )

    def personal(
        self, problem: Problem, server: ServerView, work: ClientWork
    ) -> Tensor:
        """Return the client's own model."""
        place = self._place(server, work)
        if place is None:
            return server.weights
        share = float(server.told["to_global"][place])
        found = work.own["window"][-1]
        if self.end == "interpolate":
            return (1 - share) * found + share * server.weights
        return self._stopped(problem, server, work, 1 - share)

    def _within(self, varies: Values, sizes: Values) -> Values:
        """Return σ_m², with the level of the windows' mean."""
        own = np.maximum(varies, _SMALLEST)
        shape = own**self.window * sizes ** (self.window - 1)
        found: Values = shape * own.mean() / shape.mean()
        return found

    def _place(self, server: ServerView, work: ClientWork) -> int | None:
        """Return where a client stands among those that the server heard last."""
        clients = server.told.get("clients")
        if clients is None or not work.own:
            return None
        places = (clients == work.client).nonzero().flatten().tolist()
        return places[0] if places else None

    def _start(self, server: ServerView, work: ClientWork) -> Tensor:
        place = self._place(server, work)
        if self.begin == "global" or place is None:
            return server.weights
        weight = float(server.told["weights"][place])
        found = work.own["window"][-1].numpy().astype(np.float64)
        others = others_mean(server.weights.numpy().astype(np.float64), found, weight)
        return torch.from_numpy(others).to(server.weights.dtype)

    def _stopped(
        self, problem: Problem, server: ServerView, work: ClientWork, share: float
    ) -> Tensor:
        """Return where gradient descent is when it has gone a share of the way.

        The way is the distance from the global model to what the client found last.
        """
        whole = float((work.own["window"][-1] - server.weights).norm())
        one = LocalTraining(
            steps=1,
            batch_size=work.training.batch_size,
            learning_rate=work.training.learning_rate,
        )
        weights = server.weights
        for number in range(work.training.steps):
            after = descended(
                problem, weights, work.rows, one, seed=(*work.seed, number)
            )
            if float((after - server.weights).norm()) > share * whole:
                break
            weights = after
        return weights


def _with(told: Named, clients: Tensor, known: Named) -> Named:
    """Return what is known of clients, of those that were not asked from before."""
    if "clients" not in told:
        return {"clients": clients, **known}
    others = ~torch.isin(told["clients"], clients)
    found = {
        name: torch.cat([told[name][others], values]) for name, values in known.items()
    }
    return {"clients": torch.cat([told["clients"][others], clients]), **found}
