"""Self-aware personalisation in rounds."""

from typing import Any

import numpy as np
import pytest
import torch

from compat_eval.federated.personal.method import ClientAnswer, ServerView
from compat_eval.federated.personal.self_fl import SelfFL
from compat_eval.federated.personal.shrinkage import Uncertainty, between_variance
from tests.unit.federated.personal.conftest import Points, run

FOUND = torch.tensor([[0.0, 0.0], [3, 3], [6, 6]])


def answers(varies: list[float], sizes: list[int]) -> list[ClientAnswer]:
    return [
        ClientAnswer(
            client=at,
            n=size,
            weights=FOUND[at],
            own={"window": FOUND[at : at + 1]},
            told={"varies": one},
        )
        for at, (one, size) in enumerate(zip(varies, sizes, strict=True))
    ]


def test_the_server_weighs_clients_by_what_they_are_sure_of() -> None:
    method = SelfFL(window=1.0, cap=99)
    server = method.apply(
        ServerView(weights=torch.zeros(2)), answers([1.0, 1, 2], [1, 1, 1])
    )
    within = np.array([1.0, 1, 2])
    between = between_variance(FOUND.numpy().astype(float), within)
    expected = Uncertainty(between=between, within=within)
    assert server.told["weights"].numpy() == pytest.approx(expected.weights)
    assert server.told["to_global"].numpy() == pytest.approx(expected.to_global)
    mean = expected.weights @ FOUND.numpy()
    assert server.weights.numpy() == pytest.approx(mean, rel=1e-5)


def test_variances_by_size_have_the_windows_level() -> None:
    found = SelfFL(window=0.0)._within(np.array([1.0, 2, 3]), np.array([1.0, 2, 4]))
    assert found == pytest.approx(np.array([4, 2, 1]) * 2 / (7 / 3))
    whole = SelfFL(window=1.0)._within(np.array([1.0, 2, 3]), np.array([1.0, 2, 4]))
    assert whole == pytest.approx([1, 2, 3])


def test_no_client_weighs_more_than_the_cap() -> None:
    told = answers([1e-9, 1, 1], [9, 1, 1])
    server = SelfFL(window=1.0, cap=1.5).apply(ServerView(weights=torch.zeros(2)), told)
    free = SelfFL(window=1.0, cap=99).apply(ServerView(weights=torch.zeros(2)), told)
    assert server.told["weights"].max() <= free.told["weights"].max()


def test_what_is_known_of_clients_outlasts_rounds_without_them() -> None:
    method = SelfFL(window=1.0)
    first = method.apply(
        ServerView(weights=torch.zeros(2)), answers([1.0, 1, 2], [1, 1, 1])
    )
    second = method.apply(first, answers([3.0, 1], [1, 1]))
    assert sorted(second.told["clients"].tolist()) == [0, 1, 2]
    place = second.told["clients"].tolist().index(2)
    assert second.told["to_global"][place] == first.told["to_global"][2]


@pytest.mark.parametrize("begin", ["global", "others"])
@pytest.mark.parametrize("end", ["interpolate", "stop"])
def test_clients_end_between_the_global_model_and_their_own(
    begin: Any, end: Any, problem: Points
) -> None:
    method = SelfFL(begin=begin, end=end)
    found = run(method, problem, steps=6, rate=0.2, rounds=8)
    for client, own in found.own.items():
        mine = problem.points[[[0, 1], [2, 3, 4], [5, 6, 7, 8, 9]][client]].mean(0)
        way = (own - found.weights) @ (mine - found.weights)
        assert -0.05 <= float(way / (mine - found.weights).square().sum()) <= 1.05
