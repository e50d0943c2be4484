"""Forgetting and transfer: the worked examples of the specification."""

import numpy as np
import pytest

from compat_eval.core.errors import UsageError
from compat_eval.statistics.families.continual import (
    average_accuracy,
    backward_transfer,
    forgetting_first,
    forgetting_max,
    forgetting_of_each,
    forward_transfer,
    incremental_accuracy,
    learning_accuracy,
    relative_perplexity,
)

SCORES = np.array([[0.80, 0.30, 0.20], [0.70, 0.85, 0.35], [0.60, 0.90, 0.88]])
PERPLEXITIES = np.array([[20.0, 60, 80], [25, 30, 70], [30, 33, 28]])


def test_accuracies_by_hand() -> None:
    assert average_accuracy(SCORES) == pytest.approx(0.793333, abs=1e-6)
    assert learning_accuracy(SCORES) == pytest.approx((0.80 + 0.85 + 0.88) / 3)
    expected = (0.80 + (0.70 + 0.85) / 2 + (0.60 + 0.90 + 0.88) / 3) / 3
    assert incremental_accuracy(SCORES) == pytest.approx(expected)


def test_transfer_divides_by_the_periods_that_have_it() -> None:
    assert backward_transfer(SCORES) == pytest.approx(-0.075)
    assert forward_transfer(SCORES, np.full(3, 0.25)) == pytest.approx(0.075)


def test_both_forms_of_forgetting() -> None:
    assert forgetting_first(SCORES) == pytest.approx(0.075)
    assert forgetting_max(SCORES) == pytest.approx(0.075)
    better_between = np.array([[0.5, 0, 0], [0.7, 0.6, 0], [0.4, 0.6, 0.9]])
    assert forgetting_first(better_between) == pytest.approx(0.05)
    assert forgetting_max(better_between) == pytest.approx(0.15)
    assert forgetting_max(better_between) >= forgetting_first(better_between)


def test_perplexities_are_forgotten_in_logarithms() -> None:
    scores = -np.log(PERPLEXITIES)
    each = forgetting_of_each(scores)
    assert [relative_perplexity(one) for one in each] == pytest.approx([0.5, 0.1])
    assert forgetting_first(scores) == pytest.approx(0.250388, abs=1e-6)
    rise = relative_perplexity(forgetting_first(scores))
    assert rise == pytest.approx(0.2845, abs=1e-4)


def test_one_period_has_nothing_to_forget() -> None:
    for statistic in (backward_transfer, forgetting_first, forgetting_max):
        assert np.isnan(statistic(np.array([[0.5]])))
    assert np.isnan(forward_transfer(np.array([[0.5]]), np.array([0.1])))


@pytest.mark.parametrize("shape", [(2, 3), (0, 0), (4,)])
def test_what_is_no_square_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="each period after each"):
        average_accuracy(np.zeros(shape))
