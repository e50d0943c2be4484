"""The clients of a federation on other machines, as its server knows them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor

from compat_eval.core.arrays import Values
from compat_eval.core.errors import DataError, ModelError, UsageError, some
from compat_eval.federated.clients import ordered_periods
from compat_eval.federated.devices import (
    KeepTask,
    KeptSamples,
    Memory,
    PersonalRound,
    RoundTask,
)
from compat_eval.federated.flower.exchange import Exchange, Payload
from compat_eval.federated.local import LocalUpdate
from compat_eval.federated.personal.method import ClientAnswer
from compat_eval.federated.replay.keeping import BY_GRADIENTS


class RemoteDevices:
    """Clients that are asked through messages: `Devices`.

    What the server remembers of each is how many samples of each period it keeps.
    """

    def __init__(
        self,
        exchange: Exchange,
        *,
        model: Mapping[str, Any],
        start: Tensor,
        order: Sequence[str] = (),
    ) -> None:
        """Ask every machine who is there.

        Args:
            exchange: Carries messages.
            model: What machines need to know of the model, beside its weights.
            start: The first weights.
            order: Names of the periods, the first one first; by default sorted.

        Raises:
            ModelError: A machine failed.
            DataError: A client is on two machines, there is none, or `order` does not
                name each period once.

        """
        self._exchange, self._model, self._start = exchange, model, start
        self.federation = ""
        """Identity of the federation, by which machines remember."""
        self._machines: dict[int, list[str]] = {}
        found = self._begun(exchange.machines())
        told = [one for _, one in sorted(found.items())]
        self.data = sorted({one["data"] for one in told})
        """What the machines' documents are called in the record of a training."""
        counts: dict[str, dict[str, int]] = {}
        for one in told:
            twice = counts.keys() & one["clients"].keys()
            if twice:
                raise DataError(
                    f"{len(twice)} clients are on two machines ({some([*twice])})"
                )
            counts |= one["clients"]
        if not counts:
            raise DataError("no machine has a client")
        self.names = tuple(sorted(counts))
        periods = sorted({period for one in counts.values() for period in one})
        self.periods = tuple(ordered_periods(periods, order))
        self._counts = counts
        self.tests = self._table([one["tests"] for one in told])
        """Nats and tokens of the tests by period and client, of the weights that were
        judged last, shape (n_periods, n_clients, 2); nan of who did not tell."""

    @property
    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """How many samples each client receives in each period."""
        return self._counts

    def sizes(self, period: int, memory: Memory) -> Mapping[int, int]:
        """Return how many samples each client learns from, of those that have some."""
        name = self.periods[period]
        found = {
            number: sum(memory.get(number, ())) + self._counts[client][name]
            for number, client in enumerate(self.names)
            if name in self._counts[client]
        }
        return {client: n for client, n in found.items() if n}

    def train(self, task: RoundTask, memory: Memory) -> list[LocalUpdate]:
        """Return what clients found, without those whose machine failed."""
        facts = {
            "period": task.period,
            "training": asdict(task.training),
            "seed": [*task.seed],
        }
        payloads = self._payloads(
            facts, {"weights": task.weights}, task.clients, memory
        )
        answers = self._exchange.ask("steps", payloads)
        numbers = {name: at for at, name in enumerate(self.names)}
        found = [
            LocalUpdate(client=numbers[name], total=one.arrays[name], weight=weight)
            for one in answers.values()
            for name, weight in _checked(one)["weights"].items()
        ]
        return sorted(found, key=lambda one: one.client)

    def personal(self, ask: PersonalRound, memory: Memory) -> list[ClientAnswer]:
        """Refuse: models of clients' own need more of them than sums.

        Raises:
            UsageError: Always.

        """
        raise UsageError(
            "personal: these methods send each client's own weights, and machines send "
            "sums alone; simulate them with `compat-eval federate --personal`"
        )

    def own_models(self, ask: PersonalRound, memory: Memory) -> Mapping[int, Tensor]:
        """Return nothing: there are no such models."""
        return {}

    def keep(self, task: KeepTask, memory: Memory) -> KeptSamples:
        """Let each client that has something in a period choose what it keeps."""
        period = self.periods[task.period]
        asked = [
            number
            for number, name in enumerate(self.names)
            if period in self._counts[name]
        ]
        n_means = task.replay.iterations if task.replay.method == "coordinated" else 0
        facts = {
            "period": task.period,
            "seed": task.seed,
            "replay": asdict(task.replay),
        }
        arrays, norms = {"weights": task.weights}, []
        answers: Mapping[int, Payload] = {}
        left = asked
        for at in range(n_means + 1):
            facts |= {"n_means": at, "last": at == n_means}
            everyone = self._payloads(
                facts, arrays, left, memory, everyone=at == n_means
            )
            answers = self._exchange.ask("keep", everyone)
            for one in answers.values():
                _checked(one)
            there = {name for machine in answers for name in self._machines[machine]}
            left = [number for number in left if self.names[number] in there]
            sums = self._sums(answers, left)
            if sums is not None:
                norms.append(float(sums.sum(0).norm()))
                arrays[f"mean {at}"] = sums.mean(0)
        self.tests = self._table([one.facts["tests"] for one in answers.values()])
        told = {
            name: row
            for one in answers.values()
            for name, row in one.facts["kept"].items()
        }
        selection: dict[str, Any] = {}
        if task.replay.method in BY_GRADIENTS:
            n = sum(one.facts["n_degenerate"] for one in answers.values())
            selection = {"norms": norms, "n_degenerate": n}
        return KeptSamples(
            memory={number: told[self.names[number]] for number in left},
            told=selection,
            lost=[number for number in asked if number not in left],
        )

    def kept(self, memory: Memory) -> dict[str, list[int]]:
        """Return how many samples of each period each client keeps, by name."""
        return {self.names[client]: [*rows] for client, rows in memory.items()}

    def _begun(self, machines: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Ask machines who they are, and remember it."""
        payload = Payload(facts={"model": self._model}, arrays={"weights": self._start})
        answers = self._exchange.ask("begin", dict.fromkeys(machines, payload))
        found = {at: dict(_checked(one)) for at, one in answers.items()}
        missing = [str(one) for one in machines if one not in found]
        if missing:
            raise ModelError(
                f"{len(missing)} machines failed at the start ({some(missing)})"
            )
        self._machines |= {at: [*one["clients"]] for at, one in found.items()}
        return found

    def _payloads(
        self,
        facts: Mapping[str, Any],
        arrays: Mapping[str, Tensor],
        clients: Sequence[int],
        memory: Memory,
        *,
        everyone: bool = False,
    ) -> dict[int, Payload]:
        """Return what each machine is asked: those of some clients, or all of them."""
        numbers = {name: at for at, name in enumerate(self.names)}
        found = {}
        for machine in self._present():
            own = {name: numbers[name] for name in self._machines[machine]}
            asked = {
                name: {"number": at, "stored": sum(memory.get(at, ()))}
                for name, at in own.items()
                if at in clients
            }
            if asked or everyone:
                about = {
                    **facts,
                    "federation": self.federation,
                    "model": self._model,
                    "periods": [*self.periods],
                    "numbers": own,
                    "clients": asked,
                }
                found[machine] = Payload(facts=about, arrays=arrays)
        return found

    def _present(self) -> list[int]:
        """Return the machines that are there; a new one is asked who it is."""
        there = [*self._exchange.machines()]
        strangers = [one for one in there if one not in self._machines]
        if strangers:
            known = {name for one in there for name in self._machines.get(one, ())}
            for machine, told in self._begun(strangers).items():
                other = [
                    n for n in told["clients"] if n not in self._counts or n in known
                ]
                if other:
                    raise DataError(
                        f"machine {machine} came later, with clients that are not of "
                        f"this federation or on another machine ({some(other)})"
                    )
        return there

    def _sums(
        self, answers: Mapping[int, Payload], clients: Sequence[int]
    ) -> Tensor | None:
        """Return gradient sums, a row a client in their order, if any were sent."""
        found = {
            name: row for one in answers.values() for name, row in one.arrays.items()
        }
        rows = [
            found[self.names[number]]
            for number in clients
            if self.names[number] in found
        ]
        return torch.stack(rows) if rows else None

    def _table(self, told: Sequence[Mapping[str, Any]]) -> Values:
        """Return nats and tokens by period and client."""
        found = np.zeros((len(self.periods), len(self.names), 2))
        places = {name: at for at, name in enumerate(self.periods)}
        clients = {name: at for at, name in enumerate(self.names)}
        heard = {name for one in told for name in one}
        for name in self.names:
            if name not in heard:
                found[:, clients[name]] = np.nan
        for one in told:
            for name, rows in one.items():
                for period, row in rows.items():
                    found[places[period], clients[name]] = row
        return found


def _checked(payload: Payload) -> Mapping[str, Any]:
    """Return the facts of an answer.

    Raises:
        ModelError: The machine could not do what it was asked, and says why.

    """
    error = payload.facts.get("error")
    if error:
        raise ModelError(f"a machine refused: {error}")
    return payload.facts
