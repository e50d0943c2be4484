"""FedFomo: clients take over what helps them."""

import torch

from compat_eval.federated.local import LocalTraining
from compat_eval.federated.personal.fedfomo import FedFomo
from compat_eval.federated.personal.method import ClientWork, ServerView
from tests.unit.federated.personal.conftest import Points


def test_the_mixture_by_hand() -> None:
    problem = Points(torch.zeros(4, 2))
    server = ServerView(
        weights=torch.zeros(2),
        told={"models": torch.tensor([[2.0, 0], [1, 0], [0, 0], [5, 0]])},
    )
    work = ClientWork(
        client=0,
        rows=[0, 1, 2, 3],
        own={"weights": torch.tensor([2.0, 0])},
        training=LocalTraining(steps=1, batch_size=4, learning_rate=0.1),
        seed=(0,),
    )
    # Losses: own 2, then .5 at a distance of 1, 0 at 2, 12.5: gains 1.5, 1 and 0.
    found = FedFomo().personal(problem, server, work)
    expected = 2 + (1.5 * (1 - 2) + 1.0 * (0 - 2)) / 2.5
    assert torch.allclose(found, torch.tensor([expected, 0.0]))


def test_who_is_best_alone_stays_so() -> None:
    problem = Points(torch.zeros(4, 2))
    server = ServerView(
        weights=torch.ones(2), told={"models": torch.tensor([[3.0, 0], [1, 1]])}
    )
    work = ClientWork(
        client=0,
        rows=[0],
        own={"weights": torch.zeros(2)},
        training=LocalTraining(steps=1, batch_size=4, learning_rate=0.1),
        seed=(0,),
    )
    assert torch.equal(FedFomo().personal(problem, server, work), torch.zeros(2))
