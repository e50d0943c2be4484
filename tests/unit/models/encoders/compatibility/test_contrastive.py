"""Contrastive compatibility, with and without NEW's own negatives."""

import math

import pytest

pytest.importorskip("torch")

import torch

from compat_eval.models.encoders.compatibility.contrastive import (
    contrastive_loss,
    ract_loss,
)

pytestmark = pytest.mark.torch

# Cosines: to oneself in OLD .7, to the other in OLD .5, to the other in NEW .8.
COSINES = torch.tensor(
    [[1.0, 0.8, 0.7, 0.5], [0.8, 1.0, 0.5, 0.7], [0.7, 0.5, 1, 0.6], [0.5, 0.7, 0.6, 1]]
)
NEW, OLD = torch.linalg.cholesky(COSINES.double()).split(2)
APART = torch.tensor([0, 1])


def test_by_hand() -> None:
    """At temperature .1 scores are 7, 5 and 8."""
    plain = contrastive_loss(NEW, OLD, APART, temperature=0.1)
    ract = ract_loss(NEW, OLD, APART, temperature=0.1)

    assert plain.item() == pytest.approx(math.log(1 + math.exp(-2)))
    assert ract.item() == pytest.approx(math.log(1 + math.exp(-2) + math.exp(1)))
    assert (round(plain.item(), 6), round(ract.item(), 6)) == (0.126928, 1.349012)


def test_the_hardest_negative_alone() -> None:
    found = ract_loss(NEW, OLD, APART, temperature=0.1, hardest=1)

    assert found.item() == pytest.approx(math.log(1 + math.exp(1)))


def test_one_class_has_no_negatives() -> None:
    assert ract_loss(NEW, OLD, torch.tensor([3, 3])).item() == pytest.approx(0.0)


def test_ract_is_never_below_contrastive() -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        new, old = torch.randn(2, 8, 4, generator=generator)
        labels = torch.randint(3, (8,), generator=generator)
        plain = contrastive_loss(new, old, labels, temperature=0.5)
        assert ract_loss(new, old, labels, temperature=0.5, hardest=None) >= plain


def test_old_vectors_get_no_gradient() -> None:
    new, old = NEW.clone().requires_grad_(), OLD.clone().requires_grad_()
    torch.autograd.backward(ract_loss(new, old, APART, temperature=0.1))

    assert old.grad is None
    assert new.grad is not None
    assert torch.isfinite(new.grad).all()
