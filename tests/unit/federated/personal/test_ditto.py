"""Ditto ends between the client's optimum and the global model."""

import torch

from compat_eval.federated.personal.ditto import Ditto
from tests.unit.federated.personal.conftest import Points, means, run


def test_the_pull_decides_where(problem: Points) -> None:
    found = run(Ditto(strength=0.5), problem, steps=12)
    for client, own in enumerate(means(problem)):
        expected = (own + 0.5 * found.weights) / 1.5
        assert torch.allclose(found.own[client], expected, atol=1e-3)


def test_the_global_model_is_that_of_averaging(problem: Points) -> None:
    found = run(Ditto(strength=5.0), problem, rate=0.1)
    assert torch.allclose(found.weights, problem.points.mean(0), atol=1e-3)
