"""Resampling: seeded, order-free, and honest where it says nothing."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from compat_eval.core.arrays import Rows, Values
from compat_eval.core.rows import distinct_rows
from compat_eval.statistics.intervals.evidence import Side
from compat_eval.statistics.intervals.linear import (
    Linearised,
    Tails,
    acceleration,
    gradient,
    standard_error,
)
from compat_eval.statistics.resampling import (
    Bootstrapped,
    generator,
    replicates,
    studentised,
)


def boot(values: list[float], value: float = 0.5, n: int = 100) -> Bootstrapped:
    return Bootstrapped(
        value=value,
        values=np.array(values),
        n=n,
        examples=1000,
        undefined_when="no such units",
    )


def test_replicates_keep_the_number_of_clusters() -> None:
    rows = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])

    drawn = replicates(np.array([30, 70]), rows, generator(0, "a"))

    assert drawn.shape[1] == 3
    assert np.all(drawn[:, 2] == 100)
    assert drawn[:, 0].mean() == pytest.approx(30, abs=0.5)
    assert drawn[:, 0].std() == pytest.approx(math.sqrt(100 * 0.3 * 0.7), rel=0.1)


def test_the_spread_is_that_of_the_mean_not_divided_once_more() -> None:
    """A known defect elsewhere: the error of the replicates' mean, √B too small."""
    rng = np.random.default_rng(0)
    rows = np.stack([rng.normal(size=200), np.ones(200)], axis=1)

    drawn = replicates(np.ones(200, np.int64), rows, generator(0))

    spread = (drawn[:, 0] / drawn[:, 1]).std()
    assert spread == pytest.approx(rows[:, 0].std() / math.sqrt(200), rel=0.1)


def test_names_and_seeds_alone_decide_the_numbers() -> None:
    first = generator(7, "task", "level").random(3)

    assert generator(7, "task", "level").random(3).tolist() == first.tolist()
    assert generator(8, "task", "level").random(3).tolist() != first.tolist()
    assert generator(7, "task", "leve", "l").random(3).tolist() != first.tolist()


def test_undefined_replicates_are_dropped_and_reported() -> None:
    rng = np.random.default_rng(0)
    values = [*rng.normal(0.5, 0.1, 960).tolist(), *[math.nan] * 40]

    estimate = boot(values).estimate()

    assert estimate.low < 0.5 < estimate.high
    assert estimate.reason == "a share of 0.040 of the resamples was undefined"


def test_too_many_undefined_replicates_leave_no_interval() -> None:
    values = [*np.linspace(0.4, 0.6, 940).tolist(), *[math.nan] * 60]
    found = boot(values)

    assert math.isnan(found.estimate().low)
    assert "undefined in a share of 0.060" in str(found.estimate().reason)
    assert math.isnan(found.upper(0.05))
    assert found.p_above(0.9) == found.p_at_most(0.1) == 1.0
    assert found.fresh_examples(0.9, 0.05).examples is None


def test_equal_replicates_are_no_zero_width_interval() -> None:
    found = boot([0.5] * 1000)

    assert found.collapsed
    assert math.isnan(found.estimate().low)
    assert "every resample gives the same number" in str(found.estimate().reason)


def test_one_cluster_gives_no_interval() -> None:
    assert math.isnan(boot([0.4, 0.6] * 500, n=1).upper(0.05))


def test_an_undefined_number_has_no_interval() -> None:
    found = boot([0.4, 0.6] * 500, value=math.nan)

    assert found.estimate().reason == "no such units"
    assert found.p_above(0.0) == 1.0


def test_a_bound_beyond_the_replicates_is_unknown() -> None:
    assert math.isnan(boot(np.linspace(0.4, 0.6, 100).tolist()).upper(1e-6))


def test_few_clusters_widen_the_interval() -> None:
    values = np.random.default_rng(1).normal(0.5, 0.1, 5000).tolist()

    few, many = boot(values, n=5).estimate(), boot(values, n=500).estimate()

    assert few.high - few.low > 1.3 * (many.high - many.low)


@pytest.mark.parametrize("skew", [0.0, 0.05, -0.05])
@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.01])
def test_p_values_invert_the_bounds(skew: float, alpha: float) -> None:
    values = np.random.default_rng(2).gamma(5, 0.1, 4000)
    found = Bootstrapped(
        value=0.5,
        values=values,
        n=40,
        examples=40,
        undefined_when="",
        acceleration=skew,
    )

    assert found.p_above(found.upper(alpha)) <= alpha + 1e-12
    assert found.p_above(found.upper(alpha) - 1e-2) > alpha
    assert found.p_at_most(found.lower(alpha) - 1e-12) <= alpha + 1e-12
    assert found.p_at_most(found.lower(alpha) + 1e-2) > alpha


def test_no_p_value_is_zero() -> None:
    found = boot(np.linspace(0.4, 0.6, 1000).tolist())

    assert found.p_above(5.0) > 0
    assert found.p_at_most(-5.0) > 0
    assert found.p_at_most(5.0) == 1.0


def test_fresh_examples_grow_with_the_square_of_the_distance() -> None:
    found = boot(np.random.default_rng(3).normal(0.5, 0.1, 2000).tolist())
    bound = found.upper(0.05)

    strays = bound - 0.5 + found.upper(0.2) - 0.5

    fresh = found.fresh_examples(0.5 + strays / 2, 0.05)

    assert fresh.examples == pytest.approx(4000, abs=2)
    assert fresh.power == 0.8
    assert found.fresh_examples(0.4, 0.05).examples is None
    assert found.fresh_examples(0.5 + 1e-9, 0.05).examples is None  # billions


def test_linearised_is_students_interval() -> None:
    found = Linearised(value=1.0, error=0.1, n=10, examples=10, undefined_when="never")

    estimate = found.estimate()

    assert estimate.high - 1 == pytest.approx(0.2262, abs=1e-4)  # t(9) = 2.262
    assert found.upper(0.05) == pytest.approx(1.1833, abs=1e-4)  # t(9) = 1.833
    assert found.p_above(found.upper(0.05)) == pytest.approx(0.05)
    assert found.p_at_most(found.lower(0.05)) == pytest.approx(0.05)
    assert found.fresh_examples(0.9, 0.05).examples is None
    strays = 0.1 * (1.8331 + 0.8834)  # t(9) at 95 % and 80 %
    assert found.fresh_examples(1.2, 0.05).examples == math.ceil(
        10 * (strays / 0.2) ** 2
    )


def test_linearised_without_spread_says_nothing() -> None:
    found = Linearised(value=1.0, error=0.0, n=10, examples=10, undefined_when="never")

    assert math.isnan(found.estimate().low)
    assert found.p_above(5.0) == 1.0
    assert found.fresh_examples(2.0, 0.05).examples is None
    missing = Linearised(
        value=math.nan, error=1.0, n=10, examples=10, undefined_when="never"
    )
    assert missing.estimate().reason == "never"


def test_tails_of_normal_influences_change_nothing() -> None:
    influence = norm.ppf((np.arange(1000) + 0.5) / 1000)

    found = Tails.of(influence)

    assert found.acceleration == pytest.approx(0, abs=1e-12)
    assert found.alike == pytest.approx(1000 / 3, rel=0.05)
    assert found.rise == pytest.approx(found.fall)
    assert found.rise < 0.05 * influence.max()


def test_rows_that_occur_nowhere_are_no_tail() -> None:
    some = np.array([0.0, 0.0, 0.0, 0.0, 1.0, 50.0])
    times = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 0.0])

    assert Tails.of(some, times) == Tails.of(some[:5])


def test_a_long_tail_moves_the_bound_on_its_side_out_only_so_far() -> None:
    influence = np.concatenate([np.full(980, -1.0), np.full(20, 49.0)]) / 1000
    error = standard_error(influence)
    plain = Linearised(
        value=0.0, error=error, n=1000, examples=1000, undefined_when="never"
    )

    tails = Tails.of(influence)
    tailed = replace(plain, tails=tails)

    assert tailed.upper(0.05) > plain.upper(0.05) + 0.8 * influence.max()
    assert tailed.lower(0.05) == pytest.approx(plain.lower(0.05), rel=0.15)
    assert tailed.lower(0.05) <= plain.lower(0.05)
    sides: tuple[Side, ...] = ("at_most", "at_least")
    for side in sides:
        bound = tailed.bound(0.05, side)
        assert tailed.p(bound, side) == pytest.approx(0.05)
        straight = tails.straightened(-1.9, side)
        assert tails.leaning(straight, side) == pytest.approx(-1.9)


def test_standard_error_of_a_mean() -> None:
    values = np.array([1.0, 2.0, 4.0, 9.0])

    assert standard_error(values / 4) == pytest.approx(
        values.std(ddof=1) / math.sqrt(4)
    )
    assert standard_error(np.array([1.0])) == math.inf  # never 0 for a single one


def test_acceleration_is_a_sixth_of_the_skewness_over_root_n() -> None:
    values = np.random.default_rng(4).gamma(2, 1, 400)
    centred = values - values.mean()
    skewness = (centred**3).mean() / (centred**2).mean() ** 1.5

    assert acceleration(values) == pytest.approx(skewness / (6 * math.sqrt(400)))
    assert acceleration(np.ones(5)) == 0


def test_gradient_of_a_ratio_for_many_totals() -> None:
    totals = np.array([[1.0, 2.0], [3.0, 4.0]])

    slopes = gradient(lambda t: t[..., 0] / t[..., 1], totals)

    assert slopes == pytest.approx(np.array([[0.5, -0.25], [0.25, -0.1875]]))


def test_distinct_rows_of_whole_and_of_weighted_sums() -> None:
    whole = np.array([[1.0, 2.0], [0.0, 5.0], [1.0, 2.0]])

    for factor in (1.0, 0.3):
        rows, times = distinct_rows(whole * factor)

        assert times.tolist() == [1, 2]
        assert (rows.T @ times).tolist() == pytest.approx([2 * factor, 9 * factor])


def test_distinct_rows_keep_unknown_columns_unknown() -> None:
    rows, times = distinct_rows(np.array([[1.0, np.nan], [1.0, np.nan]]))

    assert times.tolist() == [2]
    assert np.isnan(rows[0, 1])


def test_the_studentised_mean_is_skewed_the_other_way() -> None:
    """For a right-skewed sample the upper end lies further off than the lower."""
    values = np.random.default_rng(5).lognormal(0, 1, 40)
    rows = np.stack([values, np.ones(40)], axis=1)

    could = studentised(
        lambda t: t[..., 0] / t[..., 1], np.ones(40, np.int64), rows, generator(0)
    )

    mean = values.mean()
    low, high = np.quantile(could, [0.05, 0.95])
    assert high - mean > 1.2 * (mean - low)


def test_a_resample_of_alike_clusters_but_for_rounding_leaves_no_wild_end() -> None:
    """Where only equal scores are drawn the error is rounding, not a measure."""
    worse = np.array([0.1 + 0.2, 0.1, 0.7])
    rows = np.zeros((12, 2))
    rows[:3] = np.stack([worse, np.ones(3)], axis=1)

    def mean(t: Rows) -> Values:
        return np.divide(t[..., 0], np.where(t[..., 1] > 0, t[..., 1], np.nan))

    found = Bootstrapped(
        value=float(worse.mean()),
        values=studentised(mean, np.ones(12, np.int64), rows, generator(0)),
        n=12,
        examples=12,
        undefined_when="no score got worse",
        studentised=True,
    ).estimate()

    ends = [end for end in (found.low, found.high) if not math.isnan(end)]
    assert all(abs(end) < 1e3 for end in ends)
    assert len(ends) == 2 or found.reason
