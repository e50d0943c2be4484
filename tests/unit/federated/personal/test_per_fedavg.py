"""Per-FedAvg: a step is taken where one step ahead leads."""

import torch

from compat_eval.federated.personal.per_fedavg import PerFedAvg
from tests.unit.federated.personal.conftest import Points, means, run


def test_one_step_by_hand(problem: Points) -> None:
    # The gradient at w is w − mean; one step ahead of 0 is at α·mean.
    found = run(PerFedAvg(inner_rate=0.2), problem, steps=1, rate=0.5, rounds=1)
    expected = 0.5 * (1 - 0.2) * problem.points.mean(0)
    assert torch.allclose(found.weights, expected, atol=1e-6)
    for client, own in enumerate(means(problem)):
        adapted = found.weights + 0.2 * (own - found.weights)
        assert torch.allclose(found.own[client], adapted, atol=1e-6)
