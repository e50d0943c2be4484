"""Federated averaging by hand."""

import torch

from compat_eval.federated.algorithms.fedavg import FedAvg


def test_weights_become_the_mean_by_samples() -> None:
    # Three clients of 1, 2 and 3 samples move by 0, 1 and 2: 8 / 6 a round.
    algorithm = FedAvg()
    state = algorithm.init(torch.zeros(1))
    for _ in range(2):
        state = algorithm.apply(state, torch.tensor([0.0 + 2 * 1 + 3 * 2]), 6.0)
    assert torch.allclose(state["weights"], torch.tensor([2.666667]))


def test_the_server_may_go_part_of_the_way() -> None:
    algorithm = FedAvg(learning_rate=0.5)
    state = algorithm.apply(algorithm.init(torch.ones(2)), torch.tensor([4.0, -8]), 4.0)
    assert state["weights"].tolist() == [1.5, 0.0]
