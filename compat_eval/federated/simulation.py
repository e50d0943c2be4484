"""Periods and rounds of a federation, which a kill does not undo.

Everything random follows from the seed, the period, the round and the client, so that a
simulation has the same weights whatever the number of processes, and wherever it was
interrupted.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from compat_eval.core.errors import DataError, ModelError, UsageError, some
from compat_eval.core.files import replacing
from compat_eval.core.progress import Progress
from compat_eval.federated.algorithms import (
    ALGORITHMS,
    ServerAlgorithm,
    ServerState,
)
from compat_eval.federated.devices import (
    Devices,
    KeepTask,
    Memory,
    PersonalRound,
    RoundTask,
)
from compat_eval.federated.local import LocalTraining, LocalUpdate
from compat_eval.federated.personal.method import PersonalMethod, personal_method
from compat_eval.federated.personal.rounds import after_answers
from compat_eval.federated.replay.coordination import Scale
from compat_eval.federated.replay.keeping import Replay
from compat_eval.federated.replay.quotas import Shares
from compat_eval.models.training.train import Settings


class FederationSettings(Settings):
    """How clients and server train, and what clients keep."""

    algorithm: str = "fedavg"
    """Of the server: fedavg or fedadam."""
    algorithm_settings: dict[str, float] = Field(default_factory=dict)
    rounds: int = Field(default=10, ge=1)
    """Of each period."""
    sampled: int | None = Field(default=None, ge=1)
    """How many clients take part in a round; by default all that have samples."""
    local_steps: int = Field(default=10, ge=1)
    batch_size: int = Field(default=16, ge=1)
    learning_rate: float = Field(default=0.5, gt=0)
    """Of the clients."""
    proximal: float = Field(default=0.0, ge=0)
    """FedProx's μ, which draws clients back to the global weights."""
    replay: str = "uniform"
    """Which samples clients keep."""
    budget: int = Field(default=20, ge=0)
    """How many samples a client keeps."""
    iterations: int = Field(default=1, ge=0)
    """How often coordinated clients hear of the others' sum."""
    shares: Shares = "free"
    """What the choice may not change: how many samples are old (`history`), or of each
    period (`period`); `free` lets them decide."""
    scale: Scale = "direction"
    """How long gradients count as: alike, `raw`, or times the root of the `length`."""
    layers: Literal["all", "last"] = "all"
    """Whose gradients: of all weights, or of the last layer."""
    sketch: int | None = Field(default=2048, ge=1)
    """To how many numbers gradients are projected; null for none."""
    personal: str | None = None
    """Method that gives each client a model of its own, in place of `algorithm`."""
    personal_settings: dict[str, Any] = Field(default_factory=dict)
    on_failure: Literal["fail", "skip"] = "fail"
    """What becomes of a round in which a client fails."""

    def made_algorithm(self) -> ServerAlgorithm:
        """Return the server's algorithm.

        Raises:
            UsageError: It is unknown, or has no such settings.

        """
        kind = ALGORITHMS.load(self.algorithm)
        try:
            made: ServerAlgorithm = kind(**self.algorithm_settings)
        except TypeError as error:
            raise UsageError(
                f"{self.algorithm} cannot take {self.algorithm_settings}: {error}"
            ) from error
        return made

    def made_personal(self) -> PersonalMethod | None:
        """Return the method of personalisation, if there is one.

        Raises:
            UsageError: It is unknown, has no such settings, or does not go with the
                server's algorithm.

        """
        if self.personal is None:
            if self.personal_settings:
                raise UsageError("personal_settings need a method; set personal")
            return None
        if (self.algorithm, self.algorithm_settings) != ("fedavg", {}):
            raise UsageError(
                f"personal: {self.personal} says itself what the server does; leave "
                "algorithm and its settings out"
            )
        if self.proximal:
            raise UsageError(
                f"personal: {self.personal} says itself how clients train; leave "
                "proximal out, or take personal: fedprox"
            )
        return personal_method(self.personal, self.personal_settings)

    def made_replay(self) -> Replay:
        """Return how samples are chosen.

        Raises:
            UsageError: The method is unknown.

        """
        return Replay(
            method=self.replay,
            budget=self.budget,
            iterations=self.iterations,
            shares=self.shares,
            scale=self.scale,
            layers=self.layers,
            sketch=self.sketch,
        )

    @property
    def training(self) -> LocalTraining:
        """How a client trains."""
        return LocalTraining(
            steps=self.local_steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            proximal=self.proximal,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodEnd:
    """Where a federation stands when a period ends.

    Attributes:
        period: Which one; 0 is the first.
        weights: Of the global model.
        memory: What is known of what each client keeps.
        log: What happened so far, JSON-ready.
        own: Weights of clients' own models, with a method of personalisation; a client
            without samples in this period has none.

    """

    period: int
    weights: Tensor
    memory: Memory
    log: Sequence[Mapping[str, Any]]
    own: Mapping[int, Tensor] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """What a checkpoint holds."""

    period: int = 0
    round: int = 0
    server: ServerState
    memory: dict[int, list[int]] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)


def simulate(
    devices: Devices,
    settings: FederationSettings,
    *,
    start: Tensor,
    seed: int,
    checkpoint: Path,
    identity: str,
    progress: Progress,
) -> Iterator[PeriodEnd]:
    """Yield where the federation stands at the end of each period.

    Args:
        devices: The clients.
        settings: How.
        start: The first global weights.
        seed: Decides everything random.
        checkpoint: File in which the state is kept after each round, and found when
            such a simulation was interrupted. Periods that ended before are not
            yielded again.
        identity: Of everything that decides; a checkpoint of another is refused.
        progress: Follows the rounds.

    Raises:
        DataError: The checkpoint is damaged, or nobody has samples in a period.
        ModelError: A client failed, and `on_failure` is `fail`.
        UsageError: The checkpoint is of another simulation.

    """
    algorithm, replay = settings.made_algorithm(), settings.made_replay()
    method = settings.made_personal()
    first = algorithm.init(start)
    standing = _resumed(checkpoint, identity) or _Standing(server=first)
    for period in range(standing.period, len(devices.periods)):
        progress.start(
            f"period {devices.periods[period]}",
            total=settings.rounds,
            done=standing.round,
        )
        while standing.round < settings.rounds:
            standing = _after_round(
                standing, devices, settings, method or algorithm, seed=seed
            )
            _save(checkpoint, identity, standing)
            progress.advance(1)
        progress.stop()
        own = _own_models(standing, devices, settings, method, seed=seed)
        standing = _after_period(standing, devices, settings, replay, seed=seed)
        _tell_alike(standing, devices.periods[period], progress)
        yield PeriodEnd(
            period=period,
            weights=standing.server["weights"],
            memory=standing.memory,
            log=standing.log,
            own=own,
        )
        # Only now, so that what is made of a period is made again after a kill.
        _save(checkpoint, identity, standing)


def _tell_alike(standing: _Standing, period: str, progress: Progress) -> None:
    """Note of how many clients gradients do not tell the samples apart."""
    if alike := standing.log[-1]["selection"].get("n_degenerate"):
        progress.note(
            f"period {period}: gradients tell no samples apart of "
            f"{alike} clients, so what they keep follows from ids"
        )


def _after_round(
    standing: _Standing,
    devices: Devices,
    settings: FederationSettings,
    algorithm: ServerAlgorithm | PersonalMethod,
    *,
    seed: int,
) -> _Standing:
    period, number = standing.period, standing.round
    able = [*devices.sizes(period, standing.memory)]
    if not able:
        raise DataError(
            f"nobody has samples to learn from in period {devices.periods[period]}"
        )
    rng = np.random.default_rng([seed, period, number])
    n = min(settings.sampled or len(able), len(able))
    sampled = sorted(rng.choice(able, n, replace=False).tolist())
    task = RoundTask(
        period=period,
        clients=sampled,
        weights=standing.server["weights"],
        training=settings.training,
        seed=(seed, period, number),
    )
    answered, after = _asked(standing, devices, algorithm, task)
    lost = [devices.names[one] for one in sampled if one not in answered]
    at = f"period {devices.periods[period]}, round {number + 1}"
    _refuse(lost, settings, at, all_of_them=not answered)
    entry = {"period": period, "round": number, "clients": sampled, "lost": lost}
    server = after()
    if not bool(server["weights"].isfinite().all()):
        raise ModelError(
            f"{at}: the global model left the finite numbers; take a smaller learning "
            "rate of the clients or of the server (algorithm_settings)"
        )
    return replace(
        standing, round=number + 1, server=server, log=[*standing.log, entry]
    )


def _asked(
    standing: _Standing,
    devices: Devices,
    algorithm: ServerAlgorithm | PersonalMethod,
    task: RoundTask,
) -> tuple[set[int], Callable[[], ServerState]]:
    """Ask clients; return who answered, and what gives the state after the round."""
    server = standing.server
    if isinstance(algorithm, PersonalMethod):
        ask = PersonalRound(task=task, method=algorithm, state=server)
        answers = devices.personal(ask, standing.memory)
        there = {one.client for one in answers}
        return there, partial(after_answers, algorithm, server, answers)
    updates = devices.train(task, standing.memory)
    there = {one.client for one in updates}
    return there, lambda: algorithm.apply(server, *_summed(updates))


def _own_models(
    standing: _Standing,
    devices: Devices,
    settings: FederationSettings,
    method: PersonalMethod | None,
    *,
    seed: int,
) -> Mapping[int, Tensor]:
    """Return the weights of clients' own models when a period's rounds are over."""
    if method is None:
        return {}
    able = [*devices.sizes(standing.period, standing.memory)]
    task = RoundTask(
        period=standing.period,
        clients=able,
        weights=standing.server["weights"],
        training=settings.training,
        seed=(seed, standing.period, settings.rounds),
    )
    ask = PersonalRound(task=task, method=method, state=standing.server)
    found = devices.own_models(ask, standing.memory)
    lost = [devices.names[one] for one in able if one not in found]
    at = f"end of period {devices.periods[standing.period]}"
    _refuse(lost, settings, at, all_of_them=not found)
    return found


def _refuse(
    lost: Sequence[str], settings: FederationSettings, at: str, *, all_of_them: bool
) -> None:
    """Refuse to go on without clients, unless that is wanted and possible."""
    if lost and (settings.on_failure == "fail" or all_of_them):
        raise ModelError(
            f"{at}: the processes of {len(lost)} clients died ({some(lost)}). The same "
            "command goes on from the round before; with on_failure: skip it goes on "
            "without them"
        )


def _summed(updates: Sequence[LocalUpdate]) -> tuple[Tensor, float]:
    """Return the sums of updates and of weights, in the order of the clients."""
    total = torch.zeros_like(updates[0].total, dtype=torch.float64)
    for update in updates:
        total += update.total
    return total.to(updates[0].total.dtype), sum(one.weight for one in updates)


def _after_period(
    standing: _Standing,
    devices: Devices,
    settings: FederationSettings,
    replay: Replay,
    *,
    seed: int,
) -> _Standing:
    period = standing.period
    task = KeepTask(
        period=period, replay=replay, weights=standing.server["weights"], seed=seed
    )
    found = devices.keep(task, standing.memory)
    lost = [devices.names[one] for one in found.lost]
    at = f"end of period {devices.periods[period]}"
    _refuse(lost, settings, at, all_of_them=not found.memory)
    entry = {"period": period, "selection": dict(found.told), "lost": lost}
    memory = {client: [*rows] for client, rows in found.memory.items()}
    return replace(
        standing,
        period=period + 1,
        round=0,
        memory={**standing.memory, **memory},
        log=[*standing.log, entry],
    )


def _save(path: Path, identity: str, standing: _Standing) -> None:
    saved = {
        "identity": identity,
        "period": standing.period,
        "round": standing.round,
        "server": standing.server,
        "memory": standing.memory,
        "log": standing.log,
    }
    with replacing(path) as draft:
        torch.save(saved, draft)


def _resumed(path: Path, identity: str) -> _Standing | None:
    if not path.is_file():
        return None
    try:
        saved = torch.load(path, weights_only=True)
        belongs = saved.pop("identity") == identity
        found = _Standing(**saved) if belongs else None
    except PermissionError:
        raise
    except Exception as error:  # whatever a damaged file provokes
        raise DataError(
            f"{path}: damaged ({type(error).__name__}); delete it, and the same "
            "command begins anew"
        ) from error
    if found is None:
        raise UsageError(
            f"{path}: belongs to another simulation; choose another --out, or delete it"
        )
    return found
