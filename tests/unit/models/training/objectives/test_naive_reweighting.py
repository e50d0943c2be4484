"""Naive re-weighting, by hand."""

import pytest

pytest.importorskip("torch")

import torch

from compat_eval.models.training.objectives.cross_entropy import CrossEntropy
from compat_eval.models.training.objectives.naive_reweighting import NaiveReweighting

pytestmark = pytest.mark.torch

NEW = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
GOLD = torch.tensor([0, 2])


def test_what_old_gets_right_counts_once_more() -> None:
    loss = NaiveReweighting()(NEW, GOLD, taught=torch.tensor([1.0, 0.0]))

    # Nats .861995 and .551445: (2 · .861995 + .551445) / 2.
    assert float(loss) == pytest.approx(1.137717, abs=1e-6)


def test_without_a_share_it_is_cross_entropy() -> None:
    loss = NaiveReweighting(share=0.0)(NEW, GOLD, taught=torch.ones(2))

    torch.testing.assert_close(loss, CrossEntropy()(NEW, GOLD))
