"""Shares of independent units, against statsmodels, scipy and the check values."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from compat_eval.statistics.intervals.proportion import (
    clopper_pearson,
    lower_bound,
    p_above,
    p_at_most,
    upper_bound,
    wilson,
)

PAIRS = [(0, 1), (1, 1), (0, 20), (20, 20), (3, 20), (1, 500), (17, 500), (999, 1000)]


@pytest.mark.parametrize(("k", "n"), PAIRS)
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_wilson_agrees_with_statsmodels(k: int, n: int, confidence: float) -> None:
    expected = proportion_confint(k, n, alpha=1 - confidence, method="wilson")
    low, high = wilson(k, n, confidence=confidence)

    assert (float(low), float(high)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("k", "n"), PAIRS)
def test_clopper_pearson_agrees_with_statsmodels(k: int, n: int) -> None:
    expected = proportion_confint(k, n, alpha=0.05, method="beta")
    low, high = clopper_pearson(k, n)

    assert (float(low), float(high)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("k", "n", "percent"),
    [
        (0, 200, 1.49),
        (0, 500, 0.60),
        (1, 500, 0.95),
        (2, 1000, 0.63),
        (5, 2000, 0.53),
        (10, 5000, 0.34),
    ],
)
def test_upper_bounds_of_the_specification(k: int, n: int, percent: float) -> None:
    # The specification rounds upper bounds up, as one should.
    assert math.ceil(10_000 * float(upper_bound(k, n))) / 100 == percent


@pytest.mark.parametrize(("k", "n"), PAIRS)
@pytest.mark.parametrize("limit", [0.001, 0.1, 0.9])
def test_p_values_are_tails_of_the_binomial(k: int, n: int, limit: float) -> None:
    at_most = binomtest(k, n, limit, alternative="greater").pvalue
    above = binomtest(k, n, limit, alternative="less").pvalue

    assert float(p_at_most(k, n, limit)) == pytest.approx(at_most, rel=1e-9)
    assert float(p_above(k, n, limit)) == pytest.approx(above, rel=1e-9)


@pytest.mark.parametrize(("k", "n"), PAIRS)
@pytest.mark.parametrize("alpha", [0.001, 0.05, 0.3])
def test_bounds_and_p_values_say_the_same(k: int, n: int, alpha: float) -> None:
    high, low = (
        float(upper_bound(k, n, alpha=alpha)),
        float(lower_bound(k, n, alpha=alpha)),
    )

    assert float(p_above(k, n, high + 1e-9)) <= alpha
    assert float(p_at_most(k, n, low - 1e-9)) <= alpha
    if high < 1:
        assert float(p_above(k, n, high - 1e-9)) > alpha
    if low > 0:
        assert float(p_at_most(k, n, low + 1e-9)) > alpha


def test_no_flip_in_twenty_is_no_zero_width_interval() -> None:
    low, high = wilson(0, 20)

    assert float(low) == 0
    assert float(high) == pytest.approx(0.161, abs=5e-4)
    assert float(upper_bound(0, 20)) == pytest.approx(1 - 0.05 ** (1 / 20))


def test_of_nothing_nothing_is_known() -> None:
    low, high = wilson(0, 0)

    assert (float(low), float(high)) == (0.0, 1.0)
    assert float(upper_bound(0, 0)) == 1.0
    assert float(lower_bound(0, 0)) == 0.0
    assert float(p_above(0, 0, 0.5)) == 1.0
    assert float(p_at_most(0, 0, 0.5)) == 1.0


def test_limits_at_the_ends() -> None:
    assert float(p_above(0, 10, 1.0)) == 0.0  # no share is above 1
    assert float(p_above(0, 10, -0.1)) == 1.0
    assert float(p_at_most(0, 10, 1.0)) == 1.0
    assert float(p_at_most(0, 10, 0.0)) == 1.0
    assert float(p_at_most(1, 10, 0.0)) == 0.0  # a single flip refutes "never"
    assert float(p_at_most(0, 10, -0.1)) == 0.0


def test_arrays_and_fractional_counts() -> None:
    bounds = upper_bound(np.array([0, 0.5, 1]), 100.5)

    assert bounds.shape == (3,)
    assert np.all(np.diff(bounds) > 0)
    assert float(upper_bound(0, 100.5)) < float(upper_bound(0, 100))
