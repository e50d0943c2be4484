"""GSS-Greedy: who is unlike those in memory stays."""

import numpy as np
import torch

from compat_eval.federated.replay.greedy import greedily_diverse


def random() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_sample_like_those_in_memory_never_takes_a_place() -> None:
    rows = torch.tensor([[1.0, 0], [0.9, 0.1], [1, 0.05], [1, 0]])
    assert greedily_diverse(rows, 2, random()) == [0, 1]


def test_an_opposite_direction_takes_the_place_of_one_of_many_alike() -> None:
    rows = torch.tensor([[1.0, 0], [1, 0.1], [1, 0.2], [-1, 0]])
    assert all(
        3 in greedily_diverse(rows, 3, np.random.default_rng(seed)) for seed in range(9)
    )


def test_no_more_stay_than_there_is_room_for() -> None:
    rows = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))
    assert len(set(greedily_diverse(rows, 7, random()))) == 7
    assert greedily_diverse(rows[:3], 7, random()) == [0, 1, 2]
    assert greedily_diverse(rows, 0, random()) == []
    assert len(greedily_diverse(torch.zeros(5, 4), 2, random())) == 2
