"""pFedMe: the minimum of the envelope."""

import torch

from compat_eval.federated.personal.pfedme import PFedMe
from tests.unit.federated.personal.conftest import Points, means, run


def test_one_step_by_hand(problem: Points) -> None:
    # θ after one step from w = 0 is η·mean; w then moves by outer · λ · θ.
    method = PFedMe(strength=2.0, inner_steps=1, outer_rate=0.1)
    found = run(method, problem, steps=1, rate=0.3, rounds=1)
    moved = [0.1 * 2.0 * 0.3 * own for own in means(problem)]
    expected = (2 * moved[0] + 3 * moved[1] + 5 * moved[2]) / 10
    assert torch.allclose(found.weights, expected, atol=1e-6)
    for client, own in enumerate(means(problem)):
        assert torch.allclose(found.own[client], 0.3 * own, atol=1e-6)
