"""Classes stay where OLD has them."""

import pytest

pytest.importorskip("torch")

import torch

from compat_eval.models.encoders.compatibility.class_centres import (
    alignment_loss,
    boundaries,
    boundary_loss,
    class_centres,
)

pytestmark = pytest.mark.torch

CENTRES = torch.tensor([[1.0, 0.0], [0.0, 1.0]])


def test_the_boundary_by_hand() -> None:
    """Floor .8: a cosine of .6 is .2 outside, one of .9 inside, at any length."""
    vectors = torch.tensor([[6.0, 8.0], [0.9, (1 - 0.81) ** 0.5]])
    labels, floors = torch.tensor([0, 0]), torch.tensor([0.8, 0.8])

    found = [
        boundary_loss(vectors[at : at + 1], labels[:1], CENTRES, floors).item()
        for at in range(2)
    ]

    assert found == pytest.approx([0.2, 0.0])
    assert boundary_loss(vectors, labels, CENTRES, floors).item() == pytest.approx(0.1)


def test_centres_and_floors_of_old_vectors() -> None:
    """Two vectors at ±angle of cosine .8 around the first axis."""
    old = torch.tensor([[4.0, 3.0], [0.8, -0.6]])
    labels = torch.tensor([0, 0])

    centres = class_centres(old, labels, 2)

    assert centres.tolist() == [pytest.approx([1.0, 0.0]), [0.0, 0.0]]
    assert boundaries(old, labels, centres).tolist() == pytest.approx([0.8, -1.0])


def test_rows_at_the_centres_are_aligned() -> None:
    assert alignment_loss(3 * CENTRES, CENTRES).item() == 0.0
    assert alignment_loss(CENTRES.flip(0), CENTRES).item() == pytest.approx(1.0)
