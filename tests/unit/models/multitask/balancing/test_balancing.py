import torch
from torch import nn

from compat_eval.models.multitask.balancing.balancing import EqualWeights


def test_equal_weights_minimise_the_plain_sum() -> None:
    weight = nn.Parameter(torch.tensor([1.0, 2.0]))

    EqualWeights(2).backward([weight[0] ** 2, 3 * weight[1]], nn.Module())

    assert weight.grad is not None
    assert weight.grad.tolist() == [2.0, 3.0]
