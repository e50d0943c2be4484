"""NEW's vectors through OLD's frozen classifier."""

import math

import pytest

pytest.importorskip("torch")

import torch

from compat_eval.core.errors import UsageError
from compat_eval.models.encoders.compatibility.influence import (
    InfluenceTraining,
    influence_loss,
    with_synthesised_rows,
)
from compat_eval.models.encoders.compatibility.objective import Beside, EncodedBatch

pytestmark = pytest.mark.torch

ROWS = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
ONE = torch.tensor([1])


def test_by_hand_and_the_old_classifier_gets_no_gradient() -> None:
    """Logits .2 and .8: ln(1 + e^−.6)."""
    vectors = torch.tensor([[0.2, 0.8]], requires_grad=True)
    rows = ROWS.clone().requires_grad_()

    loss = influence_loss(vectors, ONE, rows)
    torch.autograd.backward(loss)

    assert loss.item() == pytest.approx(0.437488, abs=1e-6)
    assert rows.grad is None
    assert vectors.grad is not None


def test_more_dimensions_are_not_read_and_fewer_are_zeros() -> None:
    wide, narrow = torch.tensor([[0.2, 0.8, 9.0]]), torch.tensor([[0.2]])

    assert influence_loss(wide, ONE, ROWS).item() == pytest.approx(0.437488, abs=1e-6)
    assert influence_loss(narrow, ONE, ROWS).item() == pytest.approx(
        math.log(1 + math.exp(0.2))
    )


def test_cosine_classifiers_do_not_know_lengths() -> None:
    one = influence_loss(ROWS[1:], ONE, ROWS, normalised=True, scale=3.0)
    longer = influence_loss(5 * ROWS[1:], ONE, 2 * ROWS, normalised=True, scale=3.0)

    assert one.item() == pytest.approx(math.log(1 + math.exp(-3)))
    assert longer.item() == pytest.approx(one.item())


def test_a_synthesised_row_is_the_mean_of_the_old_vectors_of_the_class() -> None:
    old = torch.tensor([[1.0, 1.0], [3.0, 1.0], [9.0, 9.0]])

    found = with_synthesised_rows(ROWS, old, torch.tensor([2, 2, 0]), 3)

    assert found.tolist() == [[1.0, 0.0], [0.0, 1.0], [2.0, 1.0]]


def test_a_class_of_which_nothing_is_known_is_told() -> None:
    with pytest.raises(UsageError, match=r"\[3\]"):
        with_synthesised_rows(ROWS, ROWS, torch.tensor([2, 2]), 4)


def test_a_distance_to_old_s_vectors_is_added_beside_old_s_classifier() -> None:
    gold = torch.tensor([0, 1])
    batch = EncodedBatch(
        vectors=ROWS.flip(0), old_vectors=ROWS, gold=gold, rows=gold, head=None
    )

    def loss(distance: float = 0.0) -> float:
        of = InfluenceTraining(task=0.0, scale=1.0, distance=distance)
        beside = Beside(old_vectors=ROWS, gold=gold, labels=("a", "b"))
        return float(of.beside(beside)(batch))

    # Each unit vector is √2 from OLD's, and its cosine with the right row is 0.
    assert loss(distance=3.0) - loss() == pytest.approx(6.0)
    assert loss() == pytest.approx(math.log(1 + math.e))
