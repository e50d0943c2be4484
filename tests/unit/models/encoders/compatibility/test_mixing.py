"""A batch in which some vectors are OLD's."""

import pytest

pytest.importorskip("torch")

import torch

from compat_eval.models.encoders.compatibility.mixing import (
    mixed_batch,
    near_class_mean,
)

pytestmark = pytest.mark.torch


def test_the_farthest_of_each_class_are_left_out() -> None:
    angles = torch.tensor([0.0, 0.1, -0.1, 2.0, 1.0])
    old = torch.stack([angles.cos(), angles.sin()], dim=1)

    kept = near_class_mean(old, torch.tensor([0, 0, 0, 0, 1]), drop=0.25)

    assert kept.tolist() == [True, True, True, False, True]


def test_a_share_is_replaced_by_the_same_inputs_and_only_by_what_is_kept() -> None:
    new = torch.zeros(10, 2, requires_grad=True)
    old = torch.arange(1.0, 11.0).repeat(2, 1).T
    kept = torch.arange(10) != 4

    mixed = mixed_batch(new, old, kept, generator=torch.Generator().manual_seed(0))
    torch.autograd.backward(mixed.sum())

    replaced = mixed[:, 0] != 0
    assert replaced.sum() == 3
    assert not replaced[4]
    assert torch.equal(mixed[replaced], old[replaced])
    assert new.grad is not None
    assert torch.equal(new.grad[:, 0] == 0, replaced)


def test_the_generator_decides() -> None:
    new, old, kept = torch.zeros(20, 1), torch.ones(20, 1), torch.ones(20).bool()
    seeds = [torch.Generator().manual_seed(seed) for seed in (1, 1, 2)]
    one, same, other = (mixed_batch(new, old, kept, generator=g) for g in seeds)

    assert torch.equal(one, same)
    assert not torch.equal(one, other)
