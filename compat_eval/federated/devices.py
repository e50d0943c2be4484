"""What a server asks of clients, wherever their samples are.

`Devices` are all that a federation knows of its clients: how many samples they have,
sums of what they learnt, and how their choice of samples went. `LocalDevices` have the
samples of all clients in this process.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from compat_eval.core.errors import ModelError, some
from compat_eval.federated.clients import Clients
from compat_eval.federated.local import (
    LocalTask,
    LocalTraining,
    LocalUpdate,
    train_locally,
)
from compat_eval.federated.personal.method import (
    ClientAnswer,
    ClientWork,
    Named,
    PersonalMethod,
)
from compat_eval.federated.personal.rounds import (
    PersonalTask,
    answered,
    own_model,
    remembered,
    server_view,
)
from compat_eval.federated.problem import Problem
from compat_eval.federated.replay.keeping import HeldSamples, Replay, kept
from compat_eval.federated.workers import Workers

Memory = Mapping[int, Sequence[int]]
"""What a server remembers of what each client keeps: rows of clients in this process,
and of those elsewhere how many samples of each period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTask:
    """What the server asks in a round.

    Attributes:
        period: Which one.
        clients: Who is asked, as places among the clients.
        weights: Where they begin, one vector.
        training: How they train.
        seed: Decides, with the client, the order of its samples.

    """

    period: int
    clients: Sequence[int]
    weights: Tensor
    training: LocalTraining
    seed: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepTask:
    """What the server asks when a period ends.

    Attributes:
        period: Which one.
        replay: How clients choose what they keep.
        weights: Of the global model.
        seed: Random seed of the federation.

    """

    period: int
    replay: Replay
    weights: Tensor
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSamples:
    """How the choice of samples went.

    Attributes:
        memory: What the server remembers of those who chose.
        told: About all of them, JSON-ready.
        lost: Clients that failed.

    """

    memory: Memory
    told: Mapping[str, Any]
    lost: Sequence[int] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalRound:
    """What the server asks of clients that get models of their own.

    Attributes:
        task: Who is asked, and how they train; its weights are those of `state`.
        method: Of personalisation.
        state: What the server knows and clients remember.

    """

    task: RoundTask
    method: PersonalMethod
    state: Named


class Devices(Protocol):
    """The clients of a federation."""

    @property
    def names(self) -> Sequence[str]:
        """Of the clients, sorted."""

    @property
    def periods(self) -> Sequence[str]:
        """Names of the periods, the first one first."""

    def sizes(self, period: int, memory: Memory) -> Mapping[int, int]:
        """Return how many samples each client learns from, of those that have some."""

    def train(self, task: RoundTask, memory: Memory) -> list[LocalUpdate]:
        """Return what clients found, in their order, without those that failed.

        Raises:
            ModelError: A training left the finite numbers.

        """

    def personal(self, ask: PersonalRound, memory: Memory) -> list[ClientAnswer]:
        """Return what clients do in a round, likewise.

        Raises:
            ModelError: A training left the finite numbers.
            UsageError: These clients tell sums alone.

        """

    def own_models(self, ask: PersonalRound, memory: Memory) -> Mapping[int, Tensor]:
        """Return the weights of each client's own model, likewise."""

    def keep(self, task: KeepTask, memory: Memory) -> KeptSamples:
        """Let each client that has something in a period choose what it keeps."""

    def kept(self, memory: Memory) -> dict[str, list[int]]:
        """Return how many samples of each period each client keeps, by name."""


class LocalDevices:
    """Clients whose samples are all here."""

    def __init__(self, problem: Problem, clients: Clients, workers: Workers) -> None:
        """Take what is learnt, who has which samples when, and who computes."""
        self._problem, self._clients, self._workers = problem, clients, workers

    @property
    def names(self) -> Sequence[str]:
        """Of the clients, sorted."""
        return self._clients.names

    @property
    def periods(self) -> Sequence[str]:
        """Names of the periods, the first one first."""
        return self._clients.periods

    def sizes(self, period: int, memory: Memory) -> Mapping[int, int]:
        """Return how many samples each client learns from, of those that have some."""
        found = {
            client: len(self._rows(client, period, memory))
            for client in self._clients.shards[period]
        }
        return {client: n for client, n in found.items() if n}

    def train(self, task: RoundTask, memory: Memory) -> list[LocalUpdate]:
        """Return what clients found, without those whose process died."""
        tasks = [
            LocalTask(
                client=client,
                weights=task.weights,
                rows=self._rows(client, task.period, memory),
                training=task.training,
                seed=(*task.seed, client),
            )
            for client in task.clients
        ]
        answers = self._workers.each(train_locally, tasks)
        found = [one for one in answers if one is not None]
        self._refuse_unbounded({one.client: one.total for one in found}, task.period)
        return found

    def personal(self, ask: PersonalRound, memory: Memory) -> list[ClientAnswer]:
        """Return what clients do in a round, without those whose process died."""
        answers = self._workers.each(answered, self._personal_tasks(ask, memory))
        found = [one for one in answers if one is not None]
        weights = {one.client: one.weights for one in found}
        self._refuse_unbounded(weights, ask.task.period)
        return found

    def own_models(self, ask: PersonalRound, memory: Memory) -> Mapping[int, Tensor]:
        """Return the weights of each client's own model, likewise."""
        answers = self._workers.each(own_model, self._personal_tasks(ask, memory))
        found = dict(one for one in answers if one is not None)
        self._refuse_unbounded(found, ask.task.period)
        return found

    def _refuse_unbounded(self, found: Mapping[int, Tensor], period: int) -> None:
        """Refuse numbers of clients that are not finite, and name those clients."""
        lost = [
            self.names[client]
            for client, numbers in found.items()
            if not bool(numbers.isfinite().all())
        ]
        if lost:
            raise ModelError(
                f"period {self.periods[period]}: the training of {len(lost)} clients "
                f"left the finite numbers ({some(lost)}); take a smaller learning rate"
            )

    def _personal_tasks(self, ask: PersonalRound, memory: Memory) -> list[PersonalTask]:
        view, task = server_view(ask.state), ask.task
        return [
            PersonalTask(
                method=ask.method,
                server=view,
                work=ClientWork(
                    client=client,
                    rows=self._rows(client, task.period, memory),
                    own=remembered(ask.state, client),
                    training=task.training,
                    seed=(*task.seed, client),
                ),
            )
            for client in task.clients
        ]

    def keep(self, task: KeepTask, memory: Memory) -> KeptSamples:
        """Let each client that has something in a period choose what it keeps."""
        found, told = kept(
            task.replay,
            {
                client: held_samples(self._clients, client, task.period, memory)
                for client in self._clients.shards[task.period]
            },
            problem=self._problem,
            weights=task.weights,
            period=task.period + 1,
            seed=task.seed,
        )
        return KeptSamples(memory=found, told=told)

    def kept(self, memory: Memory) -> dict[str, list[int]]:
        """Return how many samples of each period each client keeps, by name."""
        return {
            self.names[client]: by_period(self._clients, rows)
            for client, rows in memory.items()
        }

    def _rows(self, client: int, period: int, memory: Memory) -> list[int]:
        return [
            *memory.get(client, ()),
            *self._clients.shards[period][client].train,
        ]


def held_samples(
    clients: Clients, client: int, period: int, memory: Memory
) -> HeldSamples:
    """Return what one client has when a period ends."""
    own = [
        shards[client].train if client in shards else ()
        for shards in clients.shards[: period + 1]
    ]
    at = {row: time for time, rows in enumerate(own) for row in rows}
    stored = memory.get(client, ())
    return HeldSamples(
        stored=stored,
        new=own[-1],
        periods=[at[row] for row in stored],
        seen=[len(rows) for rows in own],
    )


def by_period(clients: Clients, rows: Sequence[int]) -> list[int]:
    """Return how many of some training samples are of each period."""
    periods = {
        row: period
        for period, shards in enumerate(clients.shards)
        for shard in shards.values()
        for row in shard.train
    }
    found: list[int] = np.bincount(
        np.array([periods[row] for row in rows], np.int64),
        minlength=len(clients.periods),
    ).tolist()
    return found
