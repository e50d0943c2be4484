"""APFL: the mixture, and the share that is learnt."""

import torch

from compat_eval.federated.personal.apfl import Apfl
from tests.unit.federated.personal.conftest import Points, means, run


def test_shares_of_0_and_1_are_the_global_and_the_own_model(problem: Points) -> None:
    none = run(Apfl(share=0.0, adaptive=False), problem)
    assert all(torch.allclose(own, none.weights) for own in none.own.values())
    whole = run(Apfl(share=1.0, adaptive=False), problem)
    for client, own in enumerate(means(problem)):
        assert torch.allclose(whole.own[client], own, atol=1e-3)


def test_the_share_moves_down_the_slope(problem: Points) -> None:
    fixed = run(Apfl(share=0.2, adaptive=False), problem, steps=2, rounds=5)
    learnt = run(Apfl(share=0.2), problem, steps=2, rounds=5)

    def loss(own: torch.Tensor, client: int) -> float:
        return float((own - means(problem)[client]).norm())

    assert sum(loss(own, c) for c, own in learnt.own.items()) < sum(
        loss(own, c) for c, own in fixed.own.items()
    )
