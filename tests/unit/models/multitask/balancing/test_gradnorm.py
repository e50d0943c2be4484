import pytest
import torch
from torch import Tensor, nn

from compat_eval.models.multitask.balancing.gradnorm import GradNorm


class _Trunk(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Parameter(torch.tensor([1.0, 1.0]))


def losses_of(trunk: _Trunk) -> list[Tensor]:
    """Two losses with the gradients (3, 4) and (1, 0): norms 5 and 1."""
    return [3 * trunk.last[0] + 4 * trunk.last[1], trunk.last[0] * 1.0]


def test_equal_rates_pull_the_larger_norm_down_and_the_smaller_up() -> None:
    trunk, balancing = _Trunk(), GradNorm(2)

    balancing.backward(losses_of(trunk), trunk)

    # At the start w = (1, 1), G = (5, 1), their mean 3, all rates 1: |5−3| + |1−3|.
    # By w the gradient is (5, −1); by the scores a, with w = 2·softmax(a):
    # dw/da = 2·[[¼, −¼], [−¼, ¼]], so (3, −3).
    assert trunk.last.grad is not None
    assert balancing.scores.grad is not None
    assert trunk.last.grad.tolist() == [4.0, 4.0]
    assert balancing.scores.grad.tolist() == pytest.approx([3.0, -3.0])


def test_a_task_that_learns_slowly_has_a_higher_aim() -> None:
    balancing = GradNorm(2, alpha=1.0)
    balancing.first = torch.tensor([1.0, 1.0])

    found = balancing.imbalance(torch.tensor([0.25, 0.75]), torch.tensor([1.0, 1.0]))

    # Rates (½, 3⁄2), mean norm 1: |1 − ½| + |1 − 3⁄2|.
    assert float(found.detach()) == pytest.approx(1.0)


def test_weights_sum_to_the_number_of_tasks() -> None:
    balancing = GradNorm(3)
    with torch.no_grad():
        balancing.scores.copy_(torch.tensor([1.0, -2.0, 0.5]))

    assert float(balancing.weights().sum().detach()) == pytest.approx(3.0)
