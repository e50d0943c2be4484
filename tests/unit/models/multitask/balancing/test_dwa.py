import math

import pytest
import torch

from compat_eval.models.multitask.balancing.dwa import DynamicWeightAverage


def test_the_first_two_intervals_have_equal_weights() -> None:
    balancing = DynamicWeightAverage(2)

    balancing.checked([2.0, 2.0])

    assert balancing.weights.tolist() == [1.0, 1.0]


def test_weights_follow_the_rates_of_the_losses() -> None:
    balancing = DynamicWeightAverage(2, temperature=2.0)

    balancing.checked([2.0, 2.0])
    balancing.checked([1.0, 2.0])

    # Rates ½ and 1, divided by T = 2: K·softmax(¼, ½).
    first, second = math.exp(0.25), math.exp(0.5)
    expected = [2 * first / (first + second), 2 * second / (first + second)]
    assert balancing.weights.tolist() == pytest.approx(expected)
    assert float(balancing.total(torch.tensor([1.0, 0.0]))) == pytest.approx(
        expected[0]
    )


def test_its_state_is_kept_in_checkpoints() -> None:
    one, other = DynamicWeightAverage(2), DynamicWeightAverage(2)
    one.checked([2.0, 2.0])
    other.load_state_dict(one.state_dict())

    for each in (one, other):
        each.checked([1.0, 2.0])

    assert one.weights.tolist() == other.weights.tolist()


def test_a_temperature_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        DynamicWeightAverage(2, temperature=0.0)
