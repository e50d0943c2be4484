"""Fine-tuning after federated averaging."""

import torch

from compat_eval.federated.personal.fine_tuning import FineTuning
from tests.unit.federated.personal.conftest import Points, means, run


def test_clients_end_at_their_own_optimum_or_a_part_of_the_way(problem: Points) -> None:
    whole, half = run(FineTuning(), problem), run(FineTuning(share=0.5), problem)
    for client, own in enumerate(means(problem)):
        assert torch.allclose(whole.own[client], own, atol=1e-3)
        middle = (own + half.weights) / 2
        assert torch.allclose(half.own[client], middle, atol=1e-3)
