"""A small federation: labels of points, which differ between clients."""

import pytest
import torch
from torch import nn

from compat_eval.federated.clients import Clients, ClientShard
from compat_eval.federated.problem import LabelProblem


def point_problem() -> LabelProblem:
    torch.manual_seed(0)
    inputs = torch.randn(72, 3)
    labels = (inputs @ torch.tensor([1.0, -1.0, 0.5]) > 0).long()
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    return LabelProblem(
        network=network,
        names=[f"s{at:02}" for at in range(72)],
        inputs=inputs,
        labels=labels,
    )


@pytest.fixture
def problem() -> LabelProblem:
    return point_problem()


@pytest.fixture
def clients() -> Clients:
    """Three clients in two periods; the third has nothing in the first."""
    rows = [tuple(range(start, start + 12)) for start in range(0, 72, 12)]

    def shard(at: int) -> ClientShard:
        return ClientShard(train=rows[at][:9], test=rows[at][10:])

    return Clients(
        names=("ann", "bob", "cay"),
        periods=("1", "2"),
        shards=(
            {0: shard(0), 1: shard(1)},
            {0: shard(2), 1: shard(3), 2: shard(4)},
        ),
    )
