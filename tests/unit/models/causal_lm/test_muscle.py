"""MUSCLE's loss of tokens, worked out from divergences."""

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

# Three tokens of a vocabulary of three; the network is right on the first alone, OLD on
# the first two.
NETWORK = torch.tensor([[2.0, 0, 0], [0, 1, 0], [0, 0, 1]])
OLD = torch.tensor([[3.0, 0, 0], [1, 0, 0], [0, 2, 0]])
NEW = torch.tensor([[0.0, 1, 0], [0, 3, 0], [1, 0, 0]])
GOLD = torch.tensor([0, 0, 0])


@pytest.mark.parametrize(
    ("mask", "towards_old"),
    [("wrong", [0, 1, 1]), ("old-right", [1, 1, 0]), ("nowhere", [0.5, 0.5, 0.5])],
)
def test_the_mask_says_which_teacher_counts(
    mask: Any, towards_old: list[float]
) -> None:
    from compat_eval.models.causal_lm.muscle import Muscle
    from compat_eval.models.causal_lm.teacher import TopTokens, divergence

    old, new = TopTokens.of(OLD, 3), TopTokens.of(NEW, 3)

    found = Muscle(mask=mask)(NETWORK, GOLD, old=old, new=new)

    share = torch.tensor(towards_old)
    wanted = share * divergence(NETWORK, old) + (1 - share) * divergence(NETWORK, new)
    assert torch.allclose(found, wanted)
