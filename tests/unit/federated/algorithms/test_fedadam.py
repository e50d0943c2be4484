"""FedAdam by hand."""

import math

import pytest
import torch

from compat_eval.federated.algorithms.fedadam import FedAdam


def test_the_first_round_by_hand() -> None:
    algorithm = FedAdam(learning_rate=0.1, beta_1=0.9, beta_2=0.99, adaptivity=0.001)
    state = algorithm.apply(algorithm.init(torch.zeros(1)), torch.tensor([6.0]), 3.0)
    first, second = 0.1 * 2.0, 0.99 * 1e-6 + 0.01 * 4.0
    expected = 0.1 * first / (math.sqrt(second) + 0.001)
    assert state["weights"].item() == pytest.approx(expected, rel=1e-6)
    assert state["first"].item() == pytest.approx(first)
    assert state["second"].item() == pytest.approx(second)
