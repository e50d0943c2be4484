"""Logit difference inhibition, by hand."""

from dataclasses import replace

import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from compat_eval.models.training.data import UNKNOWN_LOGIT
from compat_eval.models.training.objectives.cross_entropy import CrossEntropy
from compat_eval.models.training.objectives.logit_difference_inhibition import (
    LogitDifferenceInhibition,
)

pytestmark = pytest.mark.torch

NEW = torch.tensor([[3.0, 1.0, 0.2, -1.0]], dtype=torch.float64)
OLD = torch.tensor([[2.0, 1.4, 0.9, -1.2]], dtype=torch.float64)
GOLD = torch.tensor([0])
WHOLE = LogitDifferenceInhibition(share=1.0, xi=0.5, p=2.0)


def found(objective: LogitDifferenceInhibition, old: Tensor = OLD) -> float:
    return float(objective(NEW, GOLD, teacher_logits=old))


# Differences 1, .4, .7 and .2: above .5, squared, they are .25, 0, .04 and 0.
@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        (WHOLE, 0.0725),
        (replace(WHOLE, reduce="sum"), 0.29),
        (replace(WHOLE, top=2), 0.125),
        (replace(WHOLE, top=2, reduce="sum"), 0.25),
        (replace(WHOLE, exclude_true=True), 0.04 / 3),
        (replace(WHOLE, exclude_true=True, top=2), 0.04 / 2),
        (replace(WHOLE, one_sided=True), 0.25 / 4),
        (replace(WHOLE, xi=0.0, p=1.0), 2.3 / 4),
        (replace(WHOLE, xi=0.0), (1 + 0.16 + 0.49 + 0.04) / 4),
        (replace(WHOLE, top=9), 0.0725),
    ],
)
def test_what_exceeds_xi_costs_its_power(
    objective: LogitDifferenceInhibition, expected: float
) -> None:
    assert found(objective) == pytest.approx(expected)


def test_it_shares_with_cross_entropy() -> None:
    nats = float(CrossEntropy()(NEW, GOLD))

    assert found(replace(WHOLE, share=0.25)) == pytest.approx(
        0.75 * nats + 0.25 * 0.0725
    )


def test_the_highest_classes_are_each_example_s_own() -> None:
    # Along the batch, the highest logits of each class would both be the first's.
    new = torch.tensor([[9.0, 8.0, 7.0], [0.0, 1.0, 2.0]], dtype=torch.float64)
    old = torch.zeros(2, 3, dtype=torch.float64)
    first = replace(WHOLE, xi=0.0, p=1.0, top=1)

    loss = first(new, torch.tensor([0, 0]), teacher_logits=old)

    assert float(loss) == pytest.approx((9 + 2) / 2)


def test_only_shared_labels_count() -> None:
    old = OLD.clone()
    old[0, 3] = UNKNOWN_LOGIT
    nothing = torch.full_like(OLD, UNKNOWN_LOGIT)

    assert found(WHOLE, old) == pytest.approx(0.29 / 3)
    plain = float(CrossEntropy()(NEW, GOLD))
    assert found(replace(WHOLE, top=2), nothing) == pytest.approx(plain)
