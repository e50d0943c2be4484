"""Self-aware personalisation: the worked example, limits, and Gaussian conditioning."""

from math import log, sqrt

import numpy as np
import pytest

from compat_eval.core.errors import UsageError
from compat_eval.federated.personal.shrinkage import (
    Uncertainty,
    between_variance,
    others_mean,
    within_variance,
)

FOUND = np.array([0.0, 3, 6])
EXAMPLE = Uncertainty(between=1.0, within=np.array([1.0, 1, 2]))


def test_the_worked_example() -> None:
    weights = EXAMPLE.weights
    assert weights == pytest.approx([0.375, 0.375, 0.25])
    global_ = weights @ FOUND
    assert global_ == pytest.approx(2.625)
    assert EXAMPLE.to_others == pytest.approx([0.3125, 0.3125, 0.5])
    assert EXAMPLE.to_global == pytest.approx([0.5, 0.5, 2 / 3])
    others = [
        others_mean(np.array([global_]), FOUND[m : m + 1], weights[m])[0]
        for m in range(3)
    ]
    assert others == pytest.approx([4.2, 2.4, 1.5])
    by_global = (1 - EXAMPLE.to_global) * FOUND + EXAMPLE.to_global * global_
    by_others = (1 - EXAMPLE.to_others) * FOUND + EXAMPLE.to_others * others
    assert by_global == pytest.approx([1.3125, 2.8125, 3.75])
    assert by_others == pytest.approx(by_global)
    assert EXAMPLE.personal_variance == pytest.approx([0.6875, 0.6875, 1.0])


def test_stopping_gradient_descent_early_is_the_same_estimate() -> None:
    steps = [log(share) / log(0.5) for share in EXAMPLE.to_others]
    assert steps == pytest.approx([1.678, 1.678, 1.0], abs=1e-3)
    rate = 1 - sqrt(EXAMPLE.to_others[0])
    assert rate == pytest.approx(0.440983, abs=1e-6)
    place = 4.2
    for _ in range(2):
        place -= rate * (place - FOUND[0])
    assert place == pytest.approx(1.3125)


def test_it_is_gaussian_conditioning() -> None:
    rng = np.random.default_rng(0)
    within = rng.uniform(0.2, 2, 5)
    found = rng.normal(size=5)
    uncertainty = Uncertainty(between=0.7, within=within)
    flat = 1e6  # variance of the prior of the global parameter
    cover = np.full((5, 5), flat) + 0.7 * np.eye(5)
    gain = cover @ np.linalg.inv(cover + np.diag(within))
    global_ = uncertainty.weights @ found
    shares = uncertainty.to_global
    assert gain @ found == pytest.approx((1 - shares) * found + shares * global_, 1e-4)
    left = np.diag(cover - gain @ cover)
    assert left == pytest.approx(uncertainty.personal_variance, rel=1e-3)


def test_limits() -> None:
    alike = Uncertainty(between=1e-9, within=EXAMPLE.within)
    assert alike.weights == pytest.approx([0.4, 0.4, 0.2])
    assert alike.to_global == pytest.approx([1, 1, 1])
    apart = Uncertainty(between=1e9, within=EXAMPLE.within)
    assert apart.weights == pytest.approx([1 / 3] * 3)
    assert apart.to_global == pytest.approx([0, 0, 0], abs=1e-8)
    sizes = np.array([10.0, 30, 60])
    by_size = Uncertainty(between=0.0, within=1 / sizes)
    assert by_size.weights == pytest.approx(sizes / 100)
    alone = Uncertainty(between=1.0, within=np.array([2.0]))
    assert alone.to_others.tolist() == [0]


def test_equal_clients_have_the_regulariser_of_ditto() -> None:
    within, between, clients = 0.64 / 30, 0.01, 8
    strength = within / between
    assert strength == pytest.approx(2.13333, abs=1e-5)
    uncertainty = Uncertainty(between=between, within=np.full(clients, within))
    assert uncertainty.to_global[0] == pytest.approx(strength / (1 + strength))


def test_who_knows_less_counts_less_and_leans_more_on_the_others() -> None:
    worse = Uncertainty(between=1.0, within=np.array([1.5, 1, 2]))
    assert worse.weights[0] < EXAMPLE.weights[0]
    assert worse.to_global[0] > EXAMPLE.to_global[0]
    wider = Uncertainty(between=2.0, within=EXAMPLE.within)
    assert (wider.to_global < EXAMPLE.to_global).all()


def test_the_variance_between_clients_is_recovered_from_what_they_found() -> None:
    rng = np.random.default_rng(1)
    within = rng.uniform(0.2, 2, 200)
    true = rng.normal(scale=sqrt(0.5), size=(200, 100))
    found = true + rng.normal(size=true.shape) * np.sqrt(within)[:, None]
    assert between_variance(found, within) == pytest.approx(0.5, rel=0.1)
    assert found.var(axis=0, ddof=1).mean() == pytest.approx(0.5 + within.mean(), 0.05)


def test_clients_that_are_alike_leave_a_variance_above_0() -> None:
    found = np.zeros((4, 3))
    assert 0 < between_variance(found, np.ones(4)) < 1e-9


def test_the_window_of_a_client_gives_its_variance() -> None:
    window = np.array([[0.0, 1], [2, 1], [4, 1]])
    assert within_variance(window) == pytest.approx(2.0)
    assert np.isnan(within_variance(window[:1]))


@pytest.mark.parametrize(
    ("between", "within"),
    [(-1.0, [1.0]), (1.0, [-0.5, 1]), (0.0, [0.0, 1]), (np.nan, [1.0]), (1, [np.inf])],
)
def test_what_is_no_variance_is_refused(between: float, within: list[float]) -> None:
    with pytest.raises(UsageError, match="variances must"):
        Uncertainty(between=between, within=np.array(within))


def test_one_client_has_no_variance_between() -> None:
    with pytest.raises(UsageError, match="at least two"):
        between_variance(np.ones((1, 2)), np.ones(1))
