"""Sample sizes: the check values of the specification, and brute force."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from compat_eval.statistics.intervals.proportion import p_at_most, upper_bound
from compat_eval.statistics.power import (
    chance_to_certify,
    largest_certifiable_rate,
    lasting_n_with_power,
    mean_chance_to_certify,
    most_flips,
    smallest_detectable_rate,
    smallest_n,
    smallest_n_with_power,
)


@pytest.mark.parametrize(
    ("limit", "row"),
    [
        (0.001, [2995, 4742, 6294, 7752, 9151, 10511]),
        (0.005, [598, 947, 1258, 1549, 1829, 2100]),
        (0.01, [299, 473, 628, 773, 913, 1049]),
        (0.02, [149, 236, 313, 386, 456, 523]),
    ],
)
def test_smallest_n_of_the_specification(limit: float, row: list[int]) -> None:
    assert [smallest_n(k, limit) for k in range(6)] == row


@pytest.mark.parametrize(
    ("limit", "row"),
    [
        (0.005, [947, 1258, 2366, 6279]),
        (0.01, [473, 628, 1182, 3137]),
        (0.02, [236, 313, 590, 1567]),
    ],
)
def test_smallest_n_with_power_of_the_specification(
    limit: float, row: list[int]
) -> None:
    shares = (0.1, 0.2, 0.4, 0.6)

    assert [smallest_n_with_power(s * limit, limit) for s in shares] == row


@pytest.mark.parametrize("k", [0, 3, 40])
def test_one_example_fewer_does_not_certify(k: int) -> None:
    n = smallest_n(k, 0.03)

    assert float(upper_bound(k, n)) <= 0.03 < float(upper_bound(k, n - 1))


def test_most_flips_is_the_inverse() -> None:
    for k in range(5):
        n = smallest_n(k, 0.02)

        assert most_flips(n, 0.02) == k
        assert most_flips(n - 1, 0.02) == k - 1


def test_the_chance_to_certify_is_saw_toothed() -> None:
    chances = [chance_to_certify(n, 0.002, 0.01) for n in range(473, 628)]

    assert chances[0] > chances[-1]  # more examples, one flip too many
    assert chance_to_certify(628, 0.002, 0.01) > chances[-1]
    assert chances[0] == pytest.approx(binom.cdf(1, 473, 0.002))


def test_no_chance_below_the_smallest_sample() -> None:
    assert chance_to_certify(298, 0.0, 0.01) == 0.0
    assert chance_to_certify(299, 0.0, 0.01) == 1.0


def test_a_rate_at_the_limit_can_never_be_certified_with_power() -> None:
    assert smallest_n_with_power(0.01, 0.01) is None


def test_many_flips_are_bisected_to_the_same_law() -> None:
    n = smallest_n_with_power(0.0095, 0.01)

    assert n is not None
    assert n > 200_000
    assert chance_to_certify(n, 0.0095, 0.01) >= 0.8
    assert chance_to_certify(int(n * 0.98), 0.0095, 0.01) < 0.8


def test_largest_certifiable_rate_has_just_that_chance() -> None:
    rate = largest_certifiable_rate(2000, 0.01)

    assert chance_to_certify(2000, rate, 0.01) == pytest.approx(0.8)
    assert math.isnan(largest_certifiable_rate(100, 0.01))


def test_smallest_detectable_rate_has_just_that_chance() -> None:
    rate = smallest_detectable_rate(1000, 0.005)
    least = next(k for k in range(1000) if float(p_at_most(k, 1000, 0.005)) < 0.05)

    assert binom.sf(least - 1, 1000, rate) == pytest.approx(0.8)
    assert math.isnan(smallest_detectable_rate(1, 0.2))


@pytest.mark.parametrize("limit", [0.005, 0.02, 0.5, 0.9])
@pytest.mark.parametrize("share", [0.1, 0.4, 0.6, 0.9])
def test_the_power_lasts_from_the_smallest_such_sample(
    limit: float, share: float
) -> None:
    rate, few = share * limit, 20_000
    n = lasting_n_with_power(rate, limit)

    assert n is not None
    if n < few:
        assert n == 1 or chance_to_certify(n - 1, rate, limit) < 0.8
        later = range(n, 2 * n, max(1, n // 500))
        assert min(chance_to_certify(m, rate, limit) for m in later) >= 0.8


@pytest.mark.parametrize(
    ("limit", "row"),
    [
        (0.005, [947, 1549, 2884, 6979]),
        (0.01, [473, 773, 1441, 3487]),
        (0.02, [236, 386, 719, 1741]),
    ],
)
def test_lasting_samples_beside_the_first_ones_of_the_specification(
    limit: float, row: list[int]
) -> None:
    """The first teeth are 947, 1,258, 2,366, 6,279 for 0.5 %, and so on."""
    shares = (0.1, 0.2, 0.4, 0.6)

    assert [lasting_n_with_power(s * limit, limit) for s in shares] == row


def test_a_rate_hardly_below_the_limit_is_beyond_reach() -> None:
    assert lasting_n_with_power(0.004_999_99, 0.005) is None
    assert lasting_n_with_power(0.005, 0.005) is None


def test_without_flips_the_smallest_sample_is_enough() -> None:
    assert lasting_n_with_power(0, 0.01) == smallest_n(0, 0.01) == 299


def test_the_chance_where_units_come_by_chance_is_a_mean() -> None:
    n, share, rate, limit = 4000, 0.1, 0.2, 0.25
    units = np.arange(n + 1)
    chances = [chance_to_certify(int(m), rate, limit) for m in units[300:500]]
    expected = binom.pmf(units, n, share)[300:500] @ np.array(chances)

    found = mean_chance_to_certify(n, share, rate, limit)

    assert found == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("rate", "limit", "power"), [(0.1, 0.0, 0.8), (0.1, 0.5, 1.0), (-0.1, 0.5, 0.8)]
)
def test_fractions_out_of_range_are_refused(
    rate: float, limit: float, power: float
) -> None:
    with pytest.raises(ValueError, match="must be a fraction"):
        smallest_n_with_power(rate, limit, power=power)
