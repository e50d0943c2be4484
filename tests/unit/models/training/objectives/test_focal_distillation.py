"""Focal distillation: worked examples, laws, and the bugs of public code."""

from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from compat_eval.models.training.data import UNKNOWN_LOGIT
from compat_eval.models.training.objectives.cross_entropy import CrossEntropy
from compat_eval.models.training.objectives.focal_distillation import FocalDistillation

pytestmark = pytest.mark.torch

OLD = torch.tensor([[2, 0, 0], [0, 1, 0], [0, 0, 3]], dtype=torch.float64)
NEW = torch.tensor([[1, 1, 0], [0, 0, 1], [2, 0, 0]], dtype=torch.float64)
GOLD = torch.tensor([0, 2, 2])
RIGHT = torch.tensor([1.0, 0.0, 1.0])
LM = FocalDistillation(distance="lm")
KL = FocalDistillation(distance="kl")
BOTH = pytest.mark.parametrize("objective", [LM, KL, replace(LM, reduce="mean")])


def distance(
    objective: FocalDistillation,
    new: Tensor = NEW,
    old: Tensor = OLD,
    gold: Tensor = GOLD,
    right: Tensor = RIGHT,
) -> float:
    """Return the loss beside cross-entropy."""
    whole = objective(new, gold, teacher_logits=old, taught=right)
    return float(whole - CrossEntropy()(new, gold))


def test_the_focus_is_each_example_s_own() -> None:
    # Distances 1, 1 and 6.5 by weights 6, 1 and 6. Weights of shape (n, 1) against
    # distances of shape (n,) would give the product of the means, 12.2778.
    assert distance(LM) == pytest.approx((6 + 1 + 39) / 3)


@pytest.mark.parametrize(
    ("alpha", "beta", "weighted"),
    [(1, 0, 1 + 1 + 6.5), (0, 1, 1 + 6.5), (0, 0, 0.0), (0, 5, 5 + 32.5)],
)
def test_alpha_counts_everywhere_and_beta_where_old_is_right(
    alpha: float, beta: float, weighted: float
) -> None:
    objective = replace(LM, alpha=alpha, beta=beta)

    assert distance(objective) == pytest.approx(weighted / 3)


def test_the_focus_is_old_s_correctness_and_not_new_s() -> None:
    # NEW is right in the second example alone: that would weigh (1 + 6 + 6.5) / 3.
    new_is_right = (NEW.argmax(-1) == GOLD).double()

    assert new_is_right.tolist() == [1.0, 1.0, 0.0]
    assert distance(LM) != pytest.approx(distance(LM, right=new_is_right))


def test_the_mean_over_classes_is_the_sum_by_their_number() -> None:
    assert distance(replace(LM, reduce="mean")) == pytest.approx(distance(LM) / 3)


def test_kl_has_the_factor_of_the_squared_temperature() -> None:
    new = torch.tensor([[1.0, 1.5, -0.5]], dtype=torch.float64)
    old = torch.tensor([[2.0, 0.5, -1.0]], dtype=torch.float64)
    objective = replace(KL, beta=0.0)

    found = distance(objective, new, old, torch.tensor([0]), torch.tensor([1.0]))

    assert found == pytest.approx(0.363679, abs=1e-6)  # without it 3.64e-5


@pytest.mark.parametrize(
    ("temperature", "expected"), [(1.0, 0.302929), (100.0, 0.334434)]
)
def test_kl_has_its_published_numbers(temperature: float, expected: float) -> None:
    objective = FocalDistillation(temperature=temperature)

    found = distance(objective, NEW[:1], OLD[:1], GOLD[:1], RIGHT[:1])

    assert found == pytest.approx(6 * expected, abs=1e-5)


@BOTH
def test_equal_logits_cost_nothing(objective: FocalDistillation) -> None:
    assert distance(objective, OLD, OLD) == pytest.approx(0.0, abs=1e-9)
    assert distance(objective) > 0


def test_a_constant_beside_the_logits_changes_kl_no_more_than_probabilities() -> None:
    assert distance(KL, NEW + 5.0) == pytest.approx(distance(KL))
    assert distance(LM, NEW + 5.0) != pytest.approx(distance(LM))


@BOTH
@pytest.mark.parametrize(("alpha", "beta"), [(0.5, 0.0), (0.3, 7.0), (10.0, 20.0)])
def test_it_is_linear_in_alpha_and_beta(
    objective: FocalDistillation, alpha: float, beta: float
) -> None:
    by_alpha = distance(replace(objective, alpha=1.0, beta=0.0))
    by_beta = distance(replace(objective, alpha=0.0, beta=1.0))

    found = distance(replace(objective, alpha=alpha, beta=beta))

    assert found == pytest.approx(alpha * by_alpha + beta * by_beta, abs=1e-6)


@BOTH
def test_the_order_of_examples_and_classes_does_not_matter(
    objective: FocalDistillation,
) -> None:
    rows, classes = torch.tensor([2, 0, 1]), torch.tensor([1, 2, 0])
    number = torch.argsort(classes)

    found = distance(
        objective,
        NEW[rows][:, classes],
        OLD[rows][:, classes],
        number[GOLD[rows]],
        RIGHT[rows],
    )

    assert found == pytest.approx(distance(objective))


@BOTH
def test_a_batch_twice_has_the_same_mean(objective: FocalDistillation) -> None:
    twice = [torch.cat([one, one]) for one in (NEW, OLD, GOLD, RIGHT)]

    assert distance(objective, *twice) == pytest.approx(distance(objective))


@BOTH
def test_where_old_is_nowhere_right_it_is_plain_distillation(
    objective: FocalDistillation,
) -> None:
    found = distance(objective, right=torch.zeros(3))

    assert found == pytest.approx(distance(replace(objective, beta=0.0)))


@BOTH
def test_no_shared_label_costs_nothing_and_is_a_number(
    objective: FocalDistillation,
) -> None:
    nothing = torch.full_like(OLD, UNKNOWN_LOGIT)
    new = NEW.clone().requires_grad_()

    loss = objective(new, GOLD, teacher_logits=nothing, taught=torch.zeros(3))
    loss.backward()  # type: ignore[no-untyped-call]

    torch.testing.assert_close(loss, CrossEntropy()(NEW, GOLD))
    assert new.grad is not None
    assert torch.isfinite(new.grad).all()


@BOTH
def test_only_examples_and_classes_that_both_know_are_compared(
    objective: FocalDistillation,
) -> None:
    old = OLD.clone()
    old[:, 0] = UNKNOWN_LOGIT  # so that the first example, of class 0, is not taught
    two = {"new": NEW[1:, 1:], "old": OLD[1:, 1:], "gold": GOLD[1:] - 1}

    found = distance(objective, old=old)

    alone = distance(objective, **two, right=RIGHT[1:])
    assert found == pytest.approx(alone * 2 / 3)


@BOTH
def test_no_gradient_reaches_old(objective: FocalDistillation) -> None:
    new: Any = NEW.clone().requires_grad_()

    loss: Any = objective(new, GOLD, teacher_logits=OLD, taught=RIGHT)
    loss.backward()

    assert OLD.grad is None
    assert new.grad.abs().sum() > 0
