import pytest

from compat_eval.core.errors import UsageError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

CLOSE = torch.tensor([[1.0, 0.0], [0.8, 0.6], [-1.0, 0.0]])


def test_close_prototypes_move_apart_and_stay_of_length_one() -> None:
    from compat_eval.models.encoders.compatibility.perturbation import (
        perturbed_prototypes,
    )

    moved = perturbed_prototypes(CLOSE, CLOSE, strength=0.3, neighbours=1)

    assert float(moved[0] @ moved[1]) < 0.8
    assert torch.allclose(moved.norm(dim=1), torch.ones(3))


def test_no_strength_leaves_them() -> None:
    from compat_eval.models.encoders.compatibility.perturbation import (
        perturbed_prototypes,
    )

    assert torch.allclose(perturbed_prototypes(CLOSE, CLOSE, strength=0.0), CLOSE)


def test_new_has_a_say_in_who_is_near() -> None:
    from compat_eval.models.encoders.compatibility.perturbation import (
        perturbed_prototypes,
    )

    apart = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.9, 0.435889]])

    by_both = perturbed_prototypes(CLOSE, apart, neighbours=1)

    # NEW has the first class near the third, so OLD's third drives it away.
    assert float(by_both[0] @ CLOSE[2]) == pytest.approx(-1.0)


def test_somebody_must_be_near() -> None:
    from compat_eval.models.encoders.compatibility.perturbation import (
        perturbed_prototypes,
    )

    with pytest.raises(UsageError, match="at least 1 of 0 others"):
        perturbed_prototypes(CLOSE[:1], CLOSE[:1])
