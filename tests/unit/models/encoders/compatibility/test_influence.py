"""NEW's vectors through OLD's frozen classifier."""

import math

import pytest

pytest.importorskip("torch")

import torch

from compat_eval.core.errors import UsageError
from compat_eval.models.encoders.compatibility.influence import (
    influence_loss,
    with_synthesised_rows,
)

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
