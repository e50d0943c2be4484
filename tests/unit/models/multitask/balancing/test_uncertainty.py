import math

import pytest
import torch
from torch import nn

from compat_eval.models.multitask.balancing.uncertainty import UncertaintyWeights


def test_loss_and_gradients_are_those_of_the_formula() -> None:
    weight = nn.Parameter(torch.tensor([2.0, 3.0]))
    balancing = UncertaintyWeights(2, start=-0.5)

    balancing.backward([weight[0], weight[1]], nn.Module())

    # d/dL of L / (2·exp(s)) + s/2, and d/ds, worked out by hand.
    outer = 1 / (2 * math.exp(-0.5))
    assert weight.grad is not None
    assert balancing.log_variances.grad is not None
    assert weight.grad.tolist() == pytest.approx([outer, outer])
    assert balancing.log_variances.grad.tolist() == pytest.approx(
        [0.5 - 2 * outer, 0.5 - 3 * outer]
    )


def test_gradients_agree_with_finite_differences() -> None:
    balancing = UncertaintyWeights(3).double()
    losses = torch.tensor([0.3, 1.2, 2.0], dtype=torch.float64, requires_grad=True)

    assert torch.autograd.gradcheck(balancing.total, (losses,))


def test_a_task_with_a_large_loss_ends_with_a_small_weight() -> None:
    balancing = UncertaintyWeights(2)
    optimizer = torch.optim.SGD(balancing.parameters(), lr=0.5)

    for _ in range(100):
        optimizer.zero_grad()
        balancing.total(torch.tensor([0.5, 4.0])).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    # At the minimum exp(s_k) = L_k.
    assert balancing.log_variances.exp().tolist() == pytest.approx([0.5, 4.0], rel=1e-2)
