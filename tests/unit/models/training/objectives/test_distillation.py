"""Knowledge distillation, by hand."""

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from compat_eval.models.training.objectives.cross_entropy import CrossEntropy
from compat_eval.models.training.objectives.distillation import Distillation

pytestmark = pytest.mark.torch

NEW = torch.tensor([[1.0, 1.0, 0.0]] * 2, dtype=torch.float64)
OLD = torch.tensor([[2.0, 0.0, 0.0]] * 2, dtype=torch.float64)
GOLD = torch.tensor([0, 2])


@pytest.mark.parametrize(
    ("temperature", "expected"), [(1.0, 0.302929), (100.0, 0.334434)]
)
def test_distillation_is_towards_the_teacher_where_it_teaches(
    temperature: float, expected: float
) -> None:
    whole = Distillation(alpha=1.0, temperature=temperature)

    loss = whole(NEW, GOLD, teacher_logits=OLD, taught=torch.tensor([1.0, 0.0]))

    # log(2e + 1) nats of the third label, that the teacher does not teach.
    nats = float(np.log(2 * np.e + 1))
    assert float(loss) == pytest.approx((expected + nats) / 2, abs=1e-5)


def test_distillation_with_no_share_is_cross_entropy() -> None:
    logits, gold = torch.randn(4, 3), torch.tensor([0, 1, 2, 0])
    columns = {"teacher_logits": torch.randn(4, 3), "taught": torch.ones(4)}

    none = Distillation(alpha=0.0)(logits, gold, **columns)

    torch.testing.assert_close(none, CrossEntropy()(logits, gold))


def test_a_better_teacher_teaches_only_where_it_gives_gold_as_much() -> None:
    # Of the first example OLD gives gold more than NEW does, of the second less.
    gold = torch.tensor([0, 1])
    better = Distillation(alpha=1.0, temperature=1.0, better=True)

    loss = better(NEW, gold, teacher_logits=OLD, taught=torch.ones(2))

    nats = float(np.log(2 * np.e + 1)) - 1
    assert float(loss) == pytest.approx((0.302929 + nats) / 2, abs=1e-5)


def test_a_confident_teacher_that_is_right_is_cross_entropy() -> None:
    confident = 1e3 * torch.eye(3, dtype=torch.float64)[GOLD]
    whole = Distillation(alpha=1.0, temperature=1.0)

    loss = whole(NEW, GOLD, teacher_logits=confident, taught=torch.ones(2))

    torch.testing.assert_close(loss, CrossEntropy()(NEW, GOLD))
