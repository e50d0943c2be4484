"""Clients that never meet."""

import torch

from compat_eval.federated.personal.local_only import LocalOnly
from tests.unit.federated.personal.conftest import Points, means, run


def test_each_client_goes_on_from_its_own_weights(problem: Points) -> None:
    found = run(LocalOnly(), problem, steps=1, rate=0.5, rounds=3)
    for client, own in enumerate(means(problem)):
        assert torch.allclose(found.own[client], own * (1 - 0.5**3), atol=1e-5)
