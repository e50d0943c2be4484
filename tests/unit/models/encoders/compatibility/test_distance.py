"""Towards OLD's own vectors."""

import pytest

pytest.importorskip("torch")

import torch

from compat_eval.models.encoders.compatibility.distance import (
    squared_distance,
    weakened_distance,
)

pytestmark = pytest.mark.torch

NEW = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
OLD = torch.tensor([[0.0, 1.0], [0.0, 3.0]])


def test_by_hand() -> None:
    """Unit vectors are √2 and 0 apart; as they are, 5 and 4 squared."""
    assert squared_distance(NEW, OLD).item() == pytest.approx(1.0)
    assert squared_distance(NEW, OLD, normalised=False).item() == pytest.approx(4.5)


def test_within_the_margin_nothing_is_asked() -> None:
    assert weakened_distance(NEW, OLD).item() == pytest.approx((2**0.5 - 0.2) / 2)


def test_equal_vectors_cost_nothing_and_have_a_gradient() -> None:
    same = OLD.clone().requires_grad_()
    torch.autograd.backward(weakened_distance(same, OLD))

    assert same.grad is not None
    assert same.grad.tolist() == [[0.0, 0.0], [0.0, 0.0]]
