"""OLD's prototypes, refined along NEW's neighbourhoods."""

import pytest

pytest.importorskip("torch")

import torch

from compat_eval.core.errors import UsageError
from compat_eval.models.encoders.compatibility.propagation import (
    affinities,
    propagation,
    refined_prototypes,
)

pytestmark = pytest.mark.torch

NEAR = torch.tensor([[0.0, 0.5], [1.0, 0.5]])


def test_by_hand() -> None:
    found = propagation(NEAR, 0.5)

    torch.testing.assert_close(found, torch.tensor([[0.6, 0.2], [0.4, 0.8]]))
    torch.testing.assert_close(found.sum(dim=0), torch.ones(2))


def test_without_steps_it_is_the_identity() -> None:
    torch.testing.assert_close(propagation(NEAR, 0.0), torch.eye(2))


def test_it_is_the_sum_over_all_steps() -> None:
    near = affinities(torch.randn(5, 3, generator=torch.Generator().manual_seed(0)))
    steps = sum(0.3 * 0.7**t * torch.linalg.matrix_power(near, t) for t in range(80))

    torch.testing.assert_close(propagation(near, 0.7), steps)


def test_affinities_leave_oneself_out() -> None:
    """Of three, the first two point the same way."""
    found = affinities(torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))

    assert found.diagonal().tolist() == [0.0, 0.0, 0.0]
    torch.testing.assert_close(found.sum(dim=1), torch.ones(3))
    assert found[0, 1] > 0.99
    assert found[2].tolist() == pytest.approx([0.5, 0.5, 0.0])


def test_without_propagation_prototypes_are_means() -> None:
    old = torch.tensor([[1.0, 0.0], [3.0, 0.0], [5.0, 5.0]])
    labels = torch.tensor([0, 0, 1])

    found = refined_prototypes(old, old, labels, 2, share=0.0)

    assert found.tolist() == [[2.0, 0.0], [5.0, 5.0]]


def test_what_new_finds_near_counts_more() -> None:
    """NEW has two of three together, so the third's OLD vector counts least."""
    new = torch.tensor([[1.0, 0.0], [1.0, 0.1], [-1.0, 0.0]])
    old = torch.tensor([[0.0], [0.0], [3.0]])

    found = refined_prototypes(new, old, torch.zeros(3, dtype=torch.long), 1)

    assert 0 < found.item() < 1.0


def test_a_class_without_vectors_is_told() -> None:
    with pytest.raises(UsageError, match="class 1"):
        refined_prototypes(NEAR, NEAR, torch.tensor([0, 0]), 2)


def test_all_of_it_cannot_go_on_for_ever() -> None:
    with pytest.raises(UsageError, match=r"\[0, 1\)"):
        propagation(NEAR, 1.0)
