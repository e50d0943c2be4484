"""What a method of personalised federated learning is, and the rounds that it runs in.

A method has a global model, and makes each client a model of its own. It differs from
federated averaging in up to three places: what a client does in a round and what it
sends (`local`), what the server makes of that (`apply`), and what becomes a client's
own model (`personal`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Annotated, Any, TypeAlias

import numpy as np
import torch
from pydantic import Field, TypeAdapter, ValidationError
from torch import Tensor

from compat_eval.core.errors import ModelError, UsageError
from compat_eval.core.progress import Progress
from compat_eval.core.registry import Registry
from compat_eval.federated.local import LocalTraining, descended
from compat_eval.federated.problem import Problem

Named = Mapping[str, Tensor]
"""Tensors by name."""
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Strength: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count: TypeAlias = Annotated[int, Field(ge=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientWork:
    """What a client has in its hands in a round.

    Attributes:
        client: Its place among the clients.
        rows: Its samples.
        own: What it remembers; empty at first.
        training: How it trains.
        seed: Decides the order of its samples.

    """

    client: int
    rows: Sequence[int]
    own: Named
    training: LocalTraining
    seed: tuple[int, ...]

    def descended(
        self, problem: Problem, start: Tensor, *, towards: Tensor | None = None
    ) -> Tensor:
        """Return weights after its steps of gradient descent."""
        return descended(
            problem, start, self.rows, self.training, seed=self.seed, towards=towards
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientAnswer:
    """What a client sends, and what it remembers.

    Attributes:
        client: Its place among the clients.
        n: How many samples it has.
        weights: What it found, shape (n_weights,).
        told: Numbers that it sends beside, by name.
        own: What it remembers, which stays with it.

    """

    client: int
    n: int
    weights: Tensor
    own: Named
    told: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerView:
    """What the server knows.

    Attributes:
        weights: Of the global model.
        told: Whatever else a method keeps, by name.

    """

    weights: Tensor
    told: Named = field(default_factory=dict)


class PersonalMethod:
    """Federated averaging, in which the global model is each client's own.

    Every other method changes some of its three parts.
    """

    def local(
        self, problem: Problem, server: ServerView, work: ClientWork
    ) -> ClientAnswer:
        """Return what a client does in a round."""
        found = work.descended(problem, server.weights)
        return ClientAnswer(
            client=work.client, n=len(work.rows), weights=found, own=work.own
        )

    def apply(self, server: ServerView, answers: Sequence[ClientAnswer]) -> ServerView:
        """Return what the server knows after a round."""
        sizes = torch.tensor([float(one.n) for one in answers], dtype=torch.float64)
        return ServerView(weights=mean(answers, sizes), told=server.told)

    def personal(
        self,
        problem: Problem,
        server: ServerView,
        work: ClientWork,
    ) -> Tensor:
        """Return a client's own model after the last round."""
        return server.weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Personalised:
    """A global model and one for each client.

    Attributes:
        weights: Of the global model.
        own: Of each client's.

    """

    weights: Tensor
    own: Mapping[int, Tensor]


def personalise(
    method: PersonalMethod,
    problem: Problem,
    rows: Mapping[int, Sequence[int]],
    *,
    start: Tensor,
    training: LocalTraining,
    rounds: int,
    seed: int,
    progress: Progress,
    sampled: int | None = None,
) -> Personalised:
    """Run a method.

    Args:
        method: Which.
        problem: What is learnt.
        rows: Samples of each client, at least one.
        start: Global weights before the first round.
        training: How clients train.
        rounds: How many.
        seed: Decides everything random.
        progress: Follows the rounds.
        sampled: How many clients take part in a round; `None` for all.

    Raises:
        ModelError: A client's weights are not finite.

    """
    server, clients = ServerView(weights=start), sorted(rows)
    own: dict[int, Named] = {client: {} for client in clients}
    progress.start("personalising", total=rounds)

    def work(client: int, number: int) -> ClientWork:
        return ClientWork(
            client=client,
            rows=rows[client],
            own=own[client],
            training=training,
            seed=(seed, number, client),
        )

    for number in range(rounds):
        rng = np.random.default_rng([seed, number])
        n = min(sampled or len(clients), len(clients))
        chosen = sorted(rng.choice(clients, n, replace=False).tolist())
        answers = [method.local(problem, server, work(c, number)) for c in chosen]
        for one in answers:
            _require_finite(one)
            own[one.client] = one.own
        server = method.apply(server, answers)
        progress.advance(1)
    progress.stop()
    return Personalised(
        weights=server.weights,
        own={c: method.personal(problem, server, work(c, rounds)) for c in clients},
    )


def _require_finite(answer: ClientAnswer) -> None:
    if not bool(answer.weights.isfinite().all()):
        raise ModelError(
            f"client {answer.client}: its training left the finite numbers; take "
            "a smaller learning rate"
        )


def mean(answers: Sequence[ClientAnswer], weights: Tensor) -> Tensor:
    """Return the weighted mean of what clients found, summed in their order."""
    total = torch.zeros_like(answers[0].weights, dtype=torch.float64)
    for one, weight in zip(answers, weights / weights.sum(), strict=True):
        total += weight * one.weights
    return total.to(answers[0].weights.dtype)


_HERE = "compat_eval.federated.personal"

PERSONAL = Registry(
    group="compat_eval.personal",
    noun="method of personalisation",
    builtin={
        "apfl": f"{_HERE}.apfl:Apfl",
        "ditto": f"{_HERE}.ditto:Ditto",
        "fedavg": f"{_HERE}.method:PersonalMethod",
        "fedavg-ft": f"{_HERE}.fine_tuning:FineTuning",
        "fedfomo": f"{_HERE}.fedfomo:FedFomo",
        "fedprox": f"{_HERE}.fedprox:FedProx",
        "local": f"{_HERE}.local_only:LocalOnly",
        "per-fedavg": f"{_HERE}.per_fedavg:PerFedAvg",
        "pfedme": f"{_HERE}.pfedme:PFedMe",
        "self-fl": f"{_HERE}.self_fl:SelfFL",
    },
)
"""Methods by name: each a class whose settings are keywords."""


def personal_method(name: str, settings: Mapping[str, Any]) -> PersonalMethod:
    """Return a method with its settings.

    Raises:
        UsageError: There is no such method, or it has no such settings.

    """
    kind = PERSONAL.load(name)
    known = [one.name for one in fields(kind)] if is_dataclass(kind) else []
    unknown = [one for one in settings if one not in known]
    if unknown:
        told = f"it has {', '.join(known)}" if known else "it has none"
        raise UsageError(f"personal: {name} has no setting {unknown[0]!r}; {told}")
    try:
        made: PersonalMethod = (
            TypeAdapter(kind).validate_python(dict(settings)) if known else kind()
        )
    except ValidationError as error:
        wrong = [
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()
        ]
        raise UsageError(f"personal: {name}: {'; '.join(wrong)}") from error
    return made
