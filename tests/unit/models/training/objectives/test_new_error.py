"""New-error dissonance, by hand."""

import pytest

pytest.importorskip("torch")

import torch

from compat_eval.models.training.objectives.cross_entropy import CrossEntropy
from compat_eval.models.training.objectives.naive_reweighting import NaiveReweighting
from compat_eval.models.training.objectives.new_error import NewError

pytestmark = pytest.mark.torch

NEW = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
GOLD = torch.tensor([0, 2])
RIGHT = torch.tensor([1.0, 0.0])
PLAIN = (0.861995 + 0.551445) / 2


def test_dissonance_is_the_loss_where_old_is_right() -> None:
    loss = NewError(share=2.0)(NEW, GOLD, taught=RIGHT)

    assert float(loss) == pytest.approx(PLAIN + 2 * 0.861995, abs=1e-6)


def test_over_all_examples_it_is_naive_reweighting() -> None:
    loss = NewError(share=2.0, over="examples")(NEW, GOLD, taught=RIGHT)

    assert float(loss) == pytest.approx(PLAIN + 2 * 0.861995 / 2, abs=1e-6)
    torch.testing.assert_close(loss, NaiveReweighting(2.0)(NEW, GOLD, taught=RIGHT))


def test_nothing_right_is_no_dissonance() -> None:
    loss = NewError()(NEW, GOLD, taught=torch.zeros(2))

    torch.testing.assert_close(loss, CrossEntropy()(NEW, GOLD))
