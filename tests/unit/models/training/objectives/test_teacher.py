"""Distances from a teacher on the labels of both."""

import math

import pytest

pytest.importorskip("torch")

import torch

from compat_eval.models.training.data import UNKNOWN_LOGIT
from compat_eval.models.training.objectives.teacher import (
    can_be_taught,
    differences,
    divergence,
    mean_over,
    shared_labels,
)

pytestmark = pytest.mark.torch

OLD = torch.tensor([[2.0, 0.5, -1.0]], dtype=torch.float64)
NEW = torch.tensor([[1.0, 1.5, -0.5]], dtype=torch.float64)
NOTHING = torch.full((1, 3), UNKNOWN_LOGIT, dtype=torch.float64)


@pytest.mark.parametrize(
    ("temperature", "expected"),
    [
        (1.0, 0.404396),
        (5.0, 0.404767),
        (20.0, 0.373583),
        (100.0, 0.363679),
        (1000.0, 0.361369),
    ],
)
def test_kl_times_the_squared_temperature_nears_half_the_variance(
    temperature: float, expected: float
) -> None:
    scaled = temperature**2 * divergence(NEW, OLD, temperature)

    # Of the differences -1, 1 and .5: their squares about the mean, by 2 · 3 classes.
    assert float(scaled) == pytest.approx(expected, abs=1e-6)


def test_kl_has_the_teacher_first_and_takes_its_probabilities() -> None:
    told, said = OLD.softmax(-1), NEW.softmax(-1)

    by_hand = (told * (told / said).log()).sum()

    assert float(divergence(NEW, OLD, 1.0)) == pytest.approx(float(by_hand))
    assert float(divergence(OLD, NEW, 1.0)) != pytest.approx(float(by_hand), abs=1e-3)


def test_a_constant_beside_all_logits_changes_no_divergence() -> None:
    assert float(divergence(NEW + 3, OLD, 2.0)) == pytest.approx(
        float(divergence(NEW, OLD, 2.0))
    )
    assert float(divergence(OLD - 7, OLD, 2.0)) == pytest.approx(0.0)


def test_only_labels_of_both_are_compared() -> None:
    teacher = torch.tensor([[2.0, UNKNOWN_LOGIT, -1.0]], dtype=torch.float64)
    two = [0, 2]

    assert shared_labels(teacher).tolist() == [[True, False, True]]
    assert float(divergence(NEW, teacher, 1.0)) == pytest.approx(
        float(divergence(NEW[:, two], OLD[:, two], 1.0))
    )
    assert differences(NEW, teacher).tolist() == [[-1.0, 0.0, 0.5]]
    assert can_be_taught(teacher, torch.tensor([1])).tolist() == [0.0]
    assert can_be_taught(teacher, torch.tensor([2])).tolist() == [1.0]


def test_no_label_of_both_is_no_distance_and_no_gradient() -> None:
    new = NEW.clone().requires_grad_()

    apart = divergence(new, NOTHING, 1.0) + mean_over(
        differences(new, NOTHING) ** 2, shared_labels(NOTHING)
    )
    apart.sum().backward()  # type: ignore[no-untyped-call]

    assert apart.tolist() == [0.0]
    assert new.grad is not None
    assert new.grad.tolist() == [[0.0, 0.0, 0.0]]


def test_over_all_labels_what_the_teacher_lacks_is_improbable_to_it() -> None:
    unknown = UNKNOWN_LOGIT
    teacher = torch.tensor([[0.0, 0.0, unknown]])
    low, high = torch.tensor([[0.0, 0.0, -3.0]]), torch.tensor([[0.0, 0.0, 3.0]])
    for logits in (low, high):
        assert divergence(logits, teacher, 1.0).item() == pytest.approx(0, abs=1e-6)
    # KL of (½, ½, 0) from the network's is −½·Σ log(2·p) over the first two.
    expected = [math.log((2 + math.exp(x)) / 2) for x in (-3.0, 3.0)]
    found = divergence(torch.cat([low, high]), teacher.repeat(2, 1), 1.0, "all")
    assert found.tolist() == pytest.approx(expected, rel=1e-5)


def test_a_teacher_without_any_shared_label_teaches_nothing_over_all() -> None:
    teacher = torch.full((1, 3), UNKNOWN_LOGIT)
    assert divergence(torch.randn(1, 3), teacher, 2.0, "all").item() == 0
