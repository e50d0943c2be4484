"""Federated averaging, and what all methods share."""

import pytest
import torch

from compat_eval.core.errors import ModelError
from compat_eval.federated.personal.method import PERSONAL, PersonalMethod
from tests.unit.federated.personal.conftest import ROWS, Points, run


def test_the_global_model_is_the_mean_by_samples_and_everybodys_own(
    problem: Points,
) -> None:
    found = run(PersonalMethod(), problem)
    assert torch.allclose(found.weights, problem.points.mean(0), atol=1e-4)
    assert all(torch.equal(own, found.weights) for own in found.own.values())


@pytest.mark.parametrize("name", sorted(PERSONAL.names()))
def test_every_method_is_the_same_again_and_gives_each_client_a_model(
    name: str, problem: Points
) -> None:
    method = PERSONAL.load(name)()
    one = run(method, problem, steps=3, rounds=3)
    other = run(method, problem, steps=3, rounds=3)
    assert set(one.own) == set(ROWS)
    assert torch.equal(one.weights, other.weights)
    for client, own in one.own.items():
        assert own.shape == (2,)
        assert torch.equal(own, other.own[client])


@pytest.mark.parametrize("name", sorted(PERSONAL.names()))
def test_clients_that_are_never_asked_have_a_model(name: str, problem: Points) -> None:
    found = run(PERSONAL.load(name)(), problem, steps=2, rounds=1, sampled=1)
    assert all(bool(own.isfinite().all()) for own in found.own.values())


def test_a_training_that_leaves_the_numbers_is_told(problem: Points) -> None:
    problem.points[0] = torch.inf
    with pytest.raises(ModelError, match="client 0: its training left the finite"):
        run(PersonalMethod(), problem)
