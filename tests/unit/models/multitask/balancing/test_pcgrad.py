import torch
from torch import nn

from compat_eval.models.multitask.balancing.pcgrad import PCGrad, without_conflicts


def test_only_conflicts_are_projected_away() -> None:
    gradients = torch.tensor([[1.0, 0.0], [-1.0, 1.0], [0.0, 2.0]])

    mended = without_conflicts(gradients, [[1, 2], [0, 2], [0, 1]])

    # g1·g2 = −1: g1 + ½·g2 = (½, ½); g2 + g1 = (0, 1). The third meets no conflict.
    assert mended.tolist() == [[0.5, 0.5], [0.0, 1.0], [0.0, 2.0]]


def test_others_are_met_as_they_were_before_any_surgery() -> None:
    gradients = torch.tensor([[2.0, 0.0], [-1.0, 1.0]])

    mended = without_conflicts(gradients, [[1], [0]])

    # Both against the other's first gradient: 2 + 2/2·(−1, 1), and (−1, 1) + ½·(2, 0).
    assert mended.tolist() == [[1.0, 1.0], [0.0, 1.0]]


def test_the_order_decides_where_three_tasks_conflict() -> None:
    gradients = torch.tensor([[1.0, 0.0], [-1.0, 1.0], [-1.0, -2.0]])

    first = without_conflicts(gradients, [[1, 2], [], []])[0].tolist()
    second = without_conflicts(gradients, [[2, 1], [], []])[0].tolist()

    assert first != second


def test_heads_keep_their_gradients_and_the_trunk_has_the_mended_sum() -> None:
    trunk, heads = nn.Linear(2, 1, bias=False), nn.Parameter(torch.tensor([1.0, 1.0]))
    with torch.no_grad():
        trunk.weight.copy_(torch.tensor([[3.0, 5.0]]))
    row = trunk.weight[0]
    losses = [heads[0] * row[0], heads[1] * (row[1] - row[0])]

    PCGrad(2).backward(losses, trunk)

    assert trunk.weight.grad is not None
    assert heads.grad is not None
    assert trunk.weight.grad.tolist() == [[0.5, 1.5]]
    assert heads.grad.tolist() == [3.0, 2.0]
