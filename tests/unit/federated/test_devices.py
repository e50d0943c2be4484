"""What a server asks of clients whose samples are all in this process."""

import pytest
import torch

from compat_eval.core.errors import ModelError
from compat_eval.federated.clients import Clients
from compat_eval.federated.devices import KeepTask, LocalDevices, RoundTask
from compat_eval.federated.local import LocalTraining
from compat_eval.federated.problem import LabelProblem, weights_of
from compat_eval.federated.replay.keeping import Replay
from compat_eval.federated.workers import OneProcess


@pytest.fixture
def devices(problem: LabelProblem, clients: Clients) -> LocalDevices:
    return LocalDevices(problem, clients, OneProcess(problem))


def test_a_client_learns_from_what_is_new_and_what_it_keeps(
    devices: LocalDevices,
) -> None:
    assert devices.sizes(0, {}) == {0: 9, 1: 9}
    assert devices.sizes(1, {0: [1, 2], 1: []}) == {0: 11, 1: 9, 2: 9}


def test_who_is_asked_sends_a_sum_and_how_much_it_counts(
    devices: LocalDevices, problem: LabelProblem
) -> None:
    task = RoundTask(
        period=1,
        clients=[0, 2],
        weights=weights_of(problem.network),
        training=LocalTraining(steps=1, batch_size=4, learning_rate=0.1),
        seed=(0, 1, 0),
    )
    found = devices.train(task, {0: [1, 2]})
    assert [(one.client, one.weight) for one in found] == [(0, 11.0), (2, 9.0)]


def test_what_clients_keep_is_told_by_period(
    devices: LocalDevices, problem: LabelProblem
) -> None:
    task = KeepTask(
        period=1,
        replay=Replay(method="full", budget=0),
        weights=torch.zeros_like(weights_of(problem.network)),
        seed=0,
    )
    found = devices.keep(task, {0: [1, 2]})
    assert devices.kept(found.memory) == {"ann": [2, 9], "bob": [0, 9], "cay": [0, 9]}


def test_a_training_that_leaves_the_numbers_names_period_and_client(
    devices: LocalDevices, problem: LabelProblem, clients: Clients
) -> None:
    problem.inputs[[*clients.shards[1][2].train]] = torch.inf
    task = RoundTask(
        period=1,
        clients=[0, 2],
        weights=weights_of(problem.network),
        training=LocalTraining(steps=2, batch_size=9, learning_rate=0.1),
        seed=(0, 1, 0),
    )
    with pytest.raises(ModelError, match=r"period 2: .* of 1 clients .*\(cay\)"):
        devices.train(task, {})
