"""The app of Flower's server: a federation of clients on other machines.

It writes what `federate` writes. Test documents stay where the clients are: in place of
each stands the sum of what a client is tested on in a period.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from flwr.serverapp import ServerApp
from pydantic import Field

from compat_eval.adapters.compat import open_source
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.arrays import Values
from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.files import read_json, write_whole
from compat_eval.core.fingerprint import canonical_json, digest
from compat_eval.core.protocols import ModelSource
from compat_eval.federated.flower.exchange import told_model
from compat_eval.federated.flower.grid import GridExchange
from compat_eval.federated.flower.remote import RemoteDevices
from compat_eval.federated.outcome import outcome
from compat_eval.federated.problem import use_weights, weights_of
from compat_eval.federated.simulation import FederationSettings, simulate
from compat_eval.federated.stream import (
    ANSWERS,
    RESULTS,
    UNTRAINED,
    model_digests,
    period_folder,
    stream_digest,
)
from compat_eval.gates import Demands
from compat_eval.models.language_models.model import SmallLanguageModel
from compat_eval.models.language_models.training import LanguageModelSettings
from compat_eval.models.training.train import Settings, settings_from
from compat_eval.models.training.workplace import begin, claimed
from compat_eval.suite.load import load_gates
from compat_eval.workflows.federate import (
    CHECKPOINT,
    LOG,
    FederatedModelSettings,
    begun_model,
    finished_federation,
    fresh_model,
    measured,
    start_doubts,
    training_record,
    write_answers,
    write_period,
    write_tests,
)

_TESTS = "tests.json"
"""Nats and tokens of each client's tests in each period, beside a period's model."""


class ServerSettings(Settings):
    """Of the server, beside those of a federation and, below `model`, of its model."""

    out: Path
    """Directory of the federation."""
    machines: int = Field(ge=1)
    """How many SuperNodes there are."""
    timeout: float = Field(default=600.0, gt=0)
    """Seconds until who does not answer is lost."""
    start: Path | None = None
    """Model of `train --model language-model` to begin from."""
    gates: Path | None = None
    """Gates file: what is demanded of each period's update and of the stream."""
    order: str = ""
    """Periods, the first one first, joined by commas."""
    seed: int = Field(default=0, ge=0)


app = ServerApp()


def _main(grid: Any, context: Any) -> None:  # noqa: ANN401
    serve(grid, context.run_config)


app.main()(_main)


def serve(grid: Any, config: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401
    """Run a federation over Flower's grid, or go on with one.

    Args:
        grid: Flower's.
        config: The settings of a run, with dots in those of `model` and
            `algorithm_settings`.

    Returns:
        What federation.json holds.

    Raises:
        UsageError: A setting makes no sense, or `out` holds another federation.
        DataError: Clients are on two machines, or nobody has samples.
        ModelError: A client failed, or SuperNodes are missing.

    """
    server, settings, own = run_settings(config)
    demands = Demands() if server.gates is None else load_gates(server.gates)
    progress = _Lines()
    exchange = GridExchange(grid, progress, timeout=server.timeout)
    exchange.wait_for(server.machines)
    begun = None
    if server.start is not None:
        begun = open_source(str(server.start), ModelOptions())
    model, sizes = _model(server, own, begun)
    devices = RemoteDevices(
        exchange,
        model=told_model(model, sizes),
        start=weights_of(model.network),
        order=tuple(filter(None, server.order.split(","))),
    )
    wanted: dict[str, Any] = {
        "schema_version": 1,
        "suite": devices.data,
        "examples": digest({name: devices.counts[name] for name in devices.names}),
        "order": [*devices.periods],
        "settings": settings.model_dump(mode="json"),
        "model": None if begun else own.model_dump(mode="json"),
        "start": begun.fingerprint() if begun else None,
        "seed": server.seed,
    }
    devices.federation = digest(wanted)
    with claimed(server.out) as work:
        if (server.out / RESULTS).is_file():
            before = finished_federation(server.out, wanted)
            return measured(server.out, demands, before)
        begin(work, server.out, wanted)
        _write_tests(work / _TESTS, devices.tests)
        record = training_record(begun, devices.data, sizes, server.seed)
        for end in simulate(
            devices,
            settings,
            start=weights_of(model.network),
            seed=server.seed,
            checkpoint=work / CHECKPOINT,
            identity=devices.federation,
            progress=progress,
        ):
            use_weights(model.network, end.weights)
            place = period_folder(server.out, devices.periods[end.period])
            place.mkdir(exist_ok=True)
            _write_tests(place / _TESTS, devices.tests)
            write_period(place, model, sizes, record)
            told = {"kept": devices.kept(end.memory), "log": [*end.log]}
            write_whole(work / LOG, canonical_json(told).encode())
        found = {
            **wanted,
            **_outcome(server.out, work, devices),
            **read_json(work / LOG),
            "doubts": start_doubts(begun, devices.data),
        }
        found = measured(server.out, demands, found)
        for path in work.iterdir():
            path.unlink()
    return found


def run_settings(
    config: Mapping[str, Any],
) -> tuple[ServerSettings, FederationSettings, FederatedModelSettings]:
    """Return the settings that a flat list of them holds.

    Raises:
        UsageError: Some are unknown or out of range.

    """
    nested: dict[str, Any] = {}
    for name, value in config.items():
        group, dot, rest = name.replace("-", "_").partition(".")
        if dot:
            nested.setdefault(group, {})[rest] = value
        else:
            nested[group] = value
    mine = {
        name: nested.pop(name) for name in ServerSettings.model_fields if name in nested
    }
    model = nested.pop("model", {})
    settings = settings_from(FederationSettings, nested)
    if settings.personal is not None:
        raise UsageError(
            f"personal: {settings.personal} needs each client's own weights, and "
            "machines send sums alone; simulate it with `compat-eval federate`"
        )
    return (
        settings_from(ServerSettings, mine),
        settings,
        settings_from(FederatedModelSettings, model),
    )


def _model(
    server: ServerSettings, own: FederatedModelSettings, begun: ModelSource | None
) -> tuple[SmallLanguageModel, LanguageModelSettings]:
    if begun is not None and server.start is not None:
        return begun_model(begun, server.start)
    if own.tokens != "byte":
        raise UsageError(
            f"model.tokens: {own.tokens} tokens are learnt from texts, and the server "
            "has none; set start to a model of `train --model language-model`, or "
            "model.tokens to byte"
        )
    return fresh_model(own, [], server.seed)


def _write_tests(path: Path, tests: Values) -> None:
    rows = tests.astype(object)
    rows[np.isnan(tests)] = None
    write_whole(path, f"{canonical_json(rows.tolist())}\n".encode())


def _outcome(out: Path, work: Path, devices: RemoteDevices) -> dict[str, Any]:
    """Write tests and answers, and return what they say.

    A test document of the suite is all that one client is tested on in one period, of
    which its machine told the sum. Clients that did not tell it of every model are left
    out.
    """
    paths = [period_folder(out, name) / _TESTS for name in devices.periods]
    sums = np.array([read_json(one) for one in (work / _TESTS, *paths)], np.float64)
    there = ~np.isnan(sums).any(axis=(0, 1, 3))
    asked = [
        (at, client)
        for at in range(len(devices.periods))
        for client in np.flatnonzero(there).tolist()
        if sums[0, at, client, 1]
    ]
    if not asked:
        raise DataError("no client has tests and told of them after every period")
    rows = [
        {
            "id": f"{devices.periods[at]}/{devices.names[client]}",
            "input": "(stays on the client's machine)",
            "client": devices.names[client],
            "period": devices.periods[at],
        }
        for at, client in asked
    ]
    write_tests(
        out,
        rows,
        name="federation-clients",
        version="1",
        task={"kind": "language_modeling"},
        slices=("period",),
    )
    ids = [row["id"] for row in rows]
    periods, clients = np.array(asked).T
    answers = [period_folder(out, name) / ANSWERS for name in devices.periods]
    for path, own in zip((out / UNTRAINED, *answers), sums, strict=True):
        pairs = zip(ids, own[periods, clients].tolist(), strict=True)
        told = [
            {"id": name, "nll": nats, "n_tokens": int(count)}
            for name, (nats, count) in pairs
        ]
        write_answers(path, told)
    left_out = [devices.names[at] for at in np.flatnonzero(~there).tolist()]
    return {
        **outcome(devices.names, devices.periods, sums),
        "files": stream_digest(out, devices.periods),
        "models": model_digests(out, devices.periods),
        "left_out": left_out,
        "n_tests": len(rows),
        "n_tests_trained_on": 0,
    }


class _Lines:
    """A `Progress` that writes to Flower's log."""

    def __init__(self) -> None:
        self._log = logging.getLogger("flwr")
        self._label, self._done, self._total = "", 0, 0

    def start(self, label: str, *, total: int, done: int = 0) -> None:
        self._label, self._done, self._total = label, done, total

    def advance(self, count: int) -> None:
        self._done += count
        self._log.info("%s: %d/%d", self._label, self._done, self._total)

    def note(self, message: str) -> None:
        self._log.warning(message)

    def stop(self) -> None:
        pass
