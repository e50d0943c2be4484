"""Clients on other machines: the weights of the simulation, and nothing but sums."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from compat_eval.core.errors import DataError, ModelError
from compat_eval.core.progress import Silence
from compat_eval.federated.clients import clients_of
from compat_eval.federated.devices import Devices, LocalDevices
from compat_eval.federated.flower.exchange import told_model
from compat_eval.federated.flower.remote import RemoteDevices
from compat_eval.federated.problem import language_problem, weights_of
from compat_eval.federated.simulation import (
    FederationSettings,
    PeriodEnd,
    simulate,
)
from compat_eval.federated.workers import OneProcess
from compat_eval.models.language_models.model import SmallLanguageModel
from compat_eval.models.language_models.training import LanguageModelSettings
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from compat_eval.workflows.federate import FederatedModelSettings, fresh_model
from tests.unit.federated.flower.conftest import Wires, stream, write_suite

pytestmark = pytest.mark.torch

SETTINGS = FederationSettings(
    rounds=2, local_steps=2, batch_size=4, budget=3, sketch=64
)
MODEL = FederatedModelSettings(tokens="byte", width=8, heads=2, longest=16)


def model() -> tuple[SmallLanguageModel, LanguageModelSettings]:
    return fresh_model(MODEL, [], 5)


def remote(wires: Wires) -> RemoteDevices:
    made, sizes = model()
    found = RemoteDevices(
        wires, model=told_model(made, sizes), start=weights_of(made.network)
    )
    found.federation = "f"
    return found


def local(tmp_path: Path) -> LocalDevices:
    made, _ = model()
    suite = load_suite(str(write_suite(tmp_path, "all", stream())))
    examples = load_examples(suite, "test")
    texts = examples.column("input").to_pylist()
    problem = language_problem(made, examples.ids.to_pylist(), texts)
    clients = clients_of(examples, period="period")
    return LocalDevices(problem, clients, OneProcess(problem))


def ends(
    devices: Devices, checkpoint: Path, settings: FederationSettings
) -> list[PeriodEnd]:
    found = simulate(
        devices,
        settings,
        start=weights_of(model()[0].network),
        seed=5,
        checkpoint=checkpoint,
        identity="one",
        progress=Silence(),
    )
    return list(found)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize(
    "change",
    [
        {"replay": "coordinated", "iterations": 2},
        {"replay": "uncoordinated", "algorithm": "fedadam"},
        {"replay": "history-uniform", "proximal": 0.1},
        {"replay": "length-weighted", "sampled": 1},
        {"replay": "gss-greedy"},
        {"replay": "period-quotas", "rounds": 1},
        {"replay": "coordinated", "shares": "history", "layers": "last"},
    ],
    ids=str,
)
def test_machines_find_the_weights_of_the_simulation(
    change: dict[str, object], wires: Wires, tmp_path: Path
) -> None:
    settings = SETTINGS.model_copy(update=change)
    here = local(tmp_path)
    expected = ends(here, tmp_path / "local.pt", settings)
    there = remote(wires)
    found = ends(there, tmp_path / "remote.pt", settings)
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one.weights, other.weights)
        assert there.kept(one.memory) == here.kept(other.memory)
    for entry, wanted in zip(found[-1].log, expected[-1].log, strict=True):
        if "selection" in entry:
            norms = [log["selection"].pop("norms", []) for log in (entry, wanted)]
            assert np.allclose(norms[0], norms[1], rtol=1e-9, atol=1e-9)
        assert entry == wanted


def test_only_sums_and_counts_leave_a_machine(wires: Wires, tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"replay": "coordinated"})
    ends(remote(wires), tmp_path / "state.pt", settings)
    n_weights = len(weights_of(model()[0].network))
    shapes = {"begin": set(), "steps": {(n_weights,)}, "keep": {(64,)}}
    told = {
        "begin": {"data", "clients", "tests"},
        "steps": {"weights"},
        "keep": {"n_degenerate", "kept", "tests"},
    }
    for action, _, payload in wires.carried:
        # One vector for each client, not one for each sample.
        assert {tuple(one.shape) for one in payload.arrays.values()} <= shapes[action]
        assert {*payload.arrays} <= {"ann", "bob", "cay"}
        assert {*payload.facts} <= told[action]
        text = json.dumps(dict(payload.facts))
        assert not any(row["text"] in text or row["id"] in text for row in stream())
    assert {action for action, _, _ in wires.carried} == {*told}


def test_one_sum_a_client_leaves_with_each_iteration(
    wires: Wires, tmp_path: Path
) -> None:
    change = {"replay": "coordinated", "iterations": 2}
    ends(remote(wires), tmp_path / "state.pt", SETTINGS.model_copy(update=change))
    carried = [payload for action, _, payload in wires.carried if action == "keep"]
    # Two clients in the first period and three in the second, three times each.
    assert sum(len(payload.arrays) for payload in carried) == 3 * 2 + 3 * 3


def test_tests_are_told_by_client_and_period(wires: Wires, tmp_path: Path) -> None:
    devices = remote(wires)
    untrained = devices.tests
    ends(devices, tmp_path / "state.pt", SETTINGS)
    assert devices.tests.shape == (2, 3, 2)
    assert (devices.tests[..., 1] == untrained[..., 1]).all()
    assert (devices.tests[0, 2] == 0).all()
    assert devices.tests[..., 0].sum() < untrained[..., 0].sum()


def test_a_machine_that_fails_stops_the_round_or_is_left_out(
    wires: Wires, tmp_path: Path
) -> None:
    wires.dead = lambda _, number, machine: number >= 3 and machine == 13
    with pytest.raises(ModelError, match=r"round 2: .* 1 clients died \(bob\)"):
        ends(remote(wires), tmp_path / "fail.pt", SETTINGS)
    wires.asked = 0
    devices = remote(wires)
    skip = SETTINGS.model_copy(update={"on_failure": "skip", "replay": "coordinated"})
    log = ends(devices, tmp_path / "skip.pt", skip)[-1].log
    assert [entry["lost"] for entry in log] == [[], *[["bob"]] * 5]
    assert np.isnan(devices.tests[:, 1]).all()


def test_what_a_machine_kept_must_still_be_there(wires: Wires, tmp_path: Path) -> None:
    def wiped(_: str, number: int, machine: int) -> bool:
        if number == 5 and machine == 12:
            for path in (tmp_path / "ann-folder").rglob("*.json"):
                path.unlink()
        return False

    wires.dead = wiped
    with pytest.raises(DataError, match="client ann keeps 0 samples"):
        ends(remote(wires), tmp_path / "state.pt", SETTINGS)


def test_a_client_on_two_machines_is_refused(wires: Wires) -> None:
    wires.opened = {**wires.opened, 14: wires.opened[11]}
    with pytest.raises(DataError, match=r"1 clients are on two machines \(cay\)"):
        remote(wires)


def test_a_machine_that_was_started_again_is_known_by_its_clients(
    wires: Wires, tmp_path: Path
) -> None:
    expected = ends(remote(wires), tmp_path / "one.pt", SETTINGS)
    devices = remote(wires)
    wires.opened = {(n if n != 12 else 99): one for n, one in wires.opened.items()}
    found = ends(devices, tmp_path / "two.pt", SETTINGS)
    assert torch.equal(found[-1].weights, expected[-1].weights)
