"""Quantiles of Student's t, beside values worked out to 40 digits with mpmath."""

import math

import numpy as np
import pytest

from compat_eval.statistics.student import mean_estimate, student_quantile


@pytest.mark.parametrize(
    ("freedom", "share", "expected"),
    [
        (56, 0.975, 2.00324071884787218),
        (56, 0.95, 1.67252230307557766),
        (57, 0.975, 2.00246545929100733),
        (10.5, 0.975, 2.2138402929187889),
        (10.5, 0.05, -1.80374269325161039),
        (3, 0.975, 3.18244630528370959),
    ],
)
def test_quantiles_are_right_to_twelve_digits_with_any_scipy(
    freedom: float, share: float, expected: float
) -> None:
    assert student_quantile(freedom, share) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("share", "expected"), [(0.0, -math.inf), (1.0, math.inf)])
def test_ends_are_infinite(share: float, expected: float) -> None:
    assert student_quantile(5, share) == expected


@pytest.mark.parametrize("freedom", [1, 29, 1e9])
def test_half_lies_below_zero(freedom: float) -> None:
    assert student_quantile(freedom, 0.5) == pytest.approx(0, abs=1e-15)


def test_without_freedom_there_is_none() -> None:
    assert math.isnan(student_quantile(math.nan, 0.05))


def test_a_mean_has_the_interval_of_students_t() -> None:
    # Standard error of 1, 2, 3 is 1/√3; t of two degrees of freedom is 4.30265.
    found = mean_estimate(np.array([1.0, 2.0, 3.0]))
    assert found.low == pytest.approx(2 - 4.302652729911275 / math.sqrt(3))
    assert found.high == pytest.approx(2 + 4.302652729911275 / math.sqrt(3))


def test_a_mean_of_undefined_values_is_undefined() -> None:
    found = mean_estimate(np.array([1.0, np.nan]))
    assert math.isnan(found.value)
    assert found.reason == "undefined with some random seed"
