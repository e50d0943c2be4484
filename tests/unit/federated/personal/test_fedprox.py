"""FedProx: one round goes 1 / (1 + μ) of the way."""

import torch

from compat_eval.federated.personal.fedprox import FedProx
from tests.unit.federated.personal.conftest import Points, run


def test_clients_stay_near_the_global_model(problem: Points) -> None:
    found = run(FedProx(proximal=1.0), problem, rounds=1)
    assert torch.allclose(found.weights, problem.points.mean(0) / 2, atol=1e-4)
