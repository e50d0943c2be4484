"""The machine of one client or several: it answers from samples that stay there.

What its clients keep is written to a folder, so that neither a restart of the machine
nor one of the server changes what comes after. Each answer follows from the message,
the samples and that folder alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.files import read_json, write_whole
from compat_eval.core.fingerprint import canonical_json
from compat_eval.federated.clients import Clients, clients_of
from compat_eval.federated.devices import (
    LocalDevices,
    RoundTask,
    by_period,
    held_samples,
)
from compat_eval.federated.flower.exchange import Payload, heard_model
from compat_eval.federated.local import LocalTraining
from compat_eval.federated.problem import Problem, language_problem
from compat_eval.federated.replay.keeping import (
    BY_GRADIENTS,
    Replay,
    chosen_rows,
    gradient_clients,
    kept,
)
from compat_eval.federated.workers import OneProcess
from compat_eval.models.language_models.model import SmallLanguageModel
from compat_eval.models.training.data import texts_of
from compat_eval.models.training.train import Settings
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite


class MachineSettings(Settings):
    """Of one machine."""

    suite: str
    """Name or file of a suite with the documents of its clients."""
    period: str
    """Slice that says when a document came."""
    folder: Path
    """Where it remembers what its clients keep."""
    split: str | None = None
    """Split with all documents; by default train, or else test."""
    data_dir: Path | None = None
    """A mirror of data files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What is on a machine.

    Attributes:
        clients: Its own, with its own periods.
        examples: Their documents.
        data: What these are called in the record of a training.
        folder: Where it remembers what its clients keep.

    """

    clients: Clients
    examples: Examples
    data: str
    folder: Path

    @classmethod
    def opened(cls, settings: MachineSettings) -> "Machine":
        """Return a machine with the documents of a suite.

        Raises:
            UsageError: The suite is of another task.
            DataError: It has no clients or no such periods, or no texts.

        """
        suite = load_suite(settings.suite)
        if suite.task.kind != "language_modeling":
            raise UsageError(
                f"suite {suite.name} is of the task {suite.task.kind}; a federation "
                "learns language_modeling"
            )
        split = settings.split or ("train" if "train" in suite.data else "test")
        examples = load_examples(suite, split, data_dir=settings.data_dir)
        return cls(
            clients=clients_of(examples, period=settings.period),
            examples=examples,
            data=f"{suite.name} {suite.version} {split}, dev none",
            folder=settings.folder,
        )

    @property
    def texts(self) -> list[str]:
        """Its documents."""
        return texts_of(self.examples, "input")

    @property
    def ids(self) -> list[str]:
        """Their ids."""
        ids: list[str] = self.examples.ids.to_pylist()
        return ids

    def begin(self, payload: Payload) -> Payload:
        """Say how many samples each client has, and what its tests cost the model."""
        model = heard_model(payload.facts["model"], payload.arrays["weights"])
        clients = {
            name: {
                period: len(shards[at].train)
                for period, shards in zip(
                    self.clients.periods, self.clients.shards, strict=True
                )
                if at in shards
            }
            for at, name in enumerate(self.clients.names)
        }
        return Payload(
            facts={"data": self.data, "clients": clients, "tests": self._tests(model)}
        )

    def steps(self, payload: Payload) -> Payload:
        """Train the clients that are asked."""
        problem, _ = self._problem(payload)
        facts = payload.facts
        clients, memory = self._asked(facts)
        task = RoundTask(
            period=facts["period"],
            clients=sorted(clients.values()),
            weights=payload.arrays["weights"],
            training=LocalTraining(**facts["training"]),
            seed=tuple(facts["seed"]),
        )
        names = {number: name for name, number in clients.items()}
        devices = LocalDevices(problem, self._all(facts), OneProcess(problem))
        found = devices.train(task, memory)
        return Payload(
            facts={"weights": {names[one.client]: one.weight for one in found}},
            arrays={names[one.client]: one.total for one in found},
        )

    def keep(self, payload: Payload) -> Payload:
        """Choose what the clients that are asked keep; at last write that down."""
        problem, model = self._problem(payload)
        facts, weights = payload.facts, payload.arrays["weights"]
        clients, memory = self._asked(facts)
        everyone = self._all(facts)
        names = {number: name for name, number in clients.items()}
        replay = Replay(**facts["replay"])
        held = {
            number: held_samples(everyone, number, facts["period"], memory)
            for number in sorted(names)
        }
        told: dict[str, Any] = {"n_degenerate": 0}
        sums: dict[str, Tensor] = {}
        if held and replay.method in BY_GRADIENTS:
            choosing = gradient_clients(
                replay, held, problem=problem, weights=weights, seed=facts["seed"]
            )
            found_sums = choosing.answer()
            for at in range(facts["n_means"]):
                found_sums = choosing.answer(payload.arrays[f"mean {at}"])
            sums = {names[number]: found_sums[at] for at, number in enumerate(held)}
            told["n_degenerate"] = sum(choosing.degenerate())
            found = chosen_rows(choosing, held, self.ids)
        else:
            found, _ = kept(
                replay,
                held,
                problem=problem,
                weights=weights,
                period=facts["period"] + 1,
                seed=facts["seed"],
            )
        if facts["last"]:
            rows = {names[number]: own for number, own in found.items()}
            self._remember(facts, rows)
            told["kept"] = {n: by_period(everyone, own) for n, own in rows.items()}
            told["tests"] = self._tests(model)
        return Payload(facts=told, arrays=sums)

    def _problem(self, payload: Payload) -> tuple[Problem, SmallLanguageModel]:
        torch.set_num_threads(1)
        model = heard_model(payload.facts["model"], payload.arrays["weights"])
        return language_problem(model, self.ids, self.texts), model

    def _asked(
        self, facts: Mapping[str, Any]
    ) -> tuple[dict[str, int], dict[int, list[int]]]:
        """Return numbers of the clients that are asked, and the rows that they keep."""
        clients = {name: one["number"] for name, one in facts["clients"].items()}
        memory = {}
        for name, one in facts["clients"].items():
            rows = self._remembered(facts, name)
            if len(rows) != one["stored"]:
                raise DataError(
                    f"client {name} keeps {len(rows)} samples in {self.folder}, where "
                    f"the server knows of {one['stored']}: what it kept is lost. Begin "
                    "the federation anew"
                )
            memory[clients[name]] = rows
        return clients, memory

    def _all(self, facts: Mapping[str, Any]) -> Clients:
        """Return the clients by the server's numbers and periods."""
        own, numbers = self.clients, facts["numbers"]
        places = {period: at for at, period in enumerate(own.periods)}
        shards: Sequence[Any] = [
            own.shards[places[period]] if period in places else {}
            for period in facts["periods"]
        ]
        return replace(
            own,
            periods=tuple(facts["periods"]),
            shards=tuple(
                {numbers[own.names[at]]: shard for at, shard in one.items()}
                for one in shards
            ),
        )

    def _tests(self, model: SmallLanguageModel) -> dict[str, dict[str, list[float]]]:
        """Return nats and tokens of each client's tests in each period."""
        found: dict[str, dict[str, list[float]]] = {n: {} for n in self.clients.names}
        for at, period in enumerate(self.clients.periods):
            for client, rows in self.clients.tests(at).items():
                texts = [self.texts[row] for row in rows]
                nats, counts = model.log_likelihood(model.encode(texts))
                pair = [float(-nats.sum()), float(counts.sum())]
                found[self.clients.names[client]][period] = pair
        return found

    def _path(self, facts: Mapping[str, Any], period: int) -> Path:
        return self.folder / str(facts["federation"]) / f"kept-{period}.json"

    def _remember(
        self, facts: Mapping[str, Any], found: Mapping[str, Sequence[int]]
    ) -> None:
        path = self._path(facts, facts["period"])
        path.parent.mkdir(parents=True, exist_ok=True)
        ids = {name: [self.ids[row] for row in rows] for name, rows in found.items()}
        write_whole(path, f"{canonical_json(ids)}\n".encode())

    def _remembered(self, facts: Mapping[str, Any], name: str) -> list[int]:
        """Return the rows that a client kept when it was asked last."""
        places = {one: at for at, one in enumerate(self.ids)}
        for period in reversed(range(facts["period"])):
            path = self._path(facts, period)
            if path.is_file():
                kept_ids = read_json(path)
                if name in kept_ids:
                    return [places[one] for one in kept_ids[name]]
        return []


def machine_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as a SuperNode has them, with the names that they have here."""
    return {name.replace("-", "_"): value for name, value in config.items()}


def answer(machine: Machine, action: str, payload: Payload) -> Payload:
    """Return what a machine answers."""
    answers = {"begin": machine.begin, "steps": machine.steps, "keep": machine.keep}
    return answers[action](payload)
