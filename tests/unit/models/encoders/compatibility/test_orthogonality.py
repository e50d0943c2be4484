"""Maps that are nearly orthogonal."""

import pytest

pytest.importorskip("torch")

import torch

from compat_eval.models.encoders.compatibility.orthogonality import (
    orthogonality_loss,
    strictly_orthogonal,
)

pytestmark = pytest.mark.torch

DOUBLE = 2 * torch.eye(3)


@pytest.mark.parametrize(("lam", "loss"), [(0.0, 5.1675), (12.0, 0.0058)])
def test_by_hand(lam: float, loss: float) -> None:
    """‖4·I − I‖ = 3·√3 = 5.19615."""
    assert orthogonality_loss(DOUBLE, lam=lam).item() == pytest.approx(loss, abs=5e-5)


def test_the_identity_costs_nothing() -> None:
    assert orthogonality_loss(torch.eye(3), lam=0.0).item() == 0.0


def test_exponentials_are_rotations() -> None:
    free = torch.randn(4, 4, generator=torch.Generator().manual_seed(0)).double()

    found = strictly_orthogonal(free)

    torch.testing.assert_close(found @ found.T, torch.eye(4).double())
    assert torch.linalg.det(found).item() == pytest.approx(1.0)
