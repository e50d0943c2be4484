import math

import numpy as np
import pytest
from scipy import stats

from compat_eval.core.rows import CodedRows
from compat_eval.core.statistic import QuantileOfClusters, ShareOfClusters, Statistic
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.intervals.quantile import QuantileEvidence
from compat_eval.statistics.paired_rows import PairedRows


def of(values: list[float], quantile: float) -> QuantileEvidence:
    return QuantileEvidence(
        values=np.sort(np.array(values)), quantile=quantile, examples=len(values)
    )


def test_the_bound_of_a_median_is_that_of_the_sign_test() -> None:
    # Of ten values the third smallest lies above the median with a chance of
    # P(Bin(10, ½) ≤ 2) = 56 / 1024 = 5.5 %, the second with one of 11 / 1024.
    found = of([*map(float, range(1, 11))], 0.5)
    assert found.bound(0.05, "at_least") == 2
    assert found.bound(0.06, "at_least") == 3
    assert found.p(2.5, "at_least") == pytest.approx(56 / 1024)
    assert found.p(2.5, "at_most") == pytest.approx(1 - 11 / 1024)


@pytest.mark.parametrize("quantile", [0.5, 0.9])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_bounds_and_p_values_agree(quantile: float, alpha: float) -> None:
    values = np.random.default_rng(0).normal(size=60)
    found = of(values.tolist(), quantile)
    upper, lower = found.upper(alpha), found.lower(alpha)
    assert found.p_above(upper) <= alpha < found.p_above(upper - 1e-9)
    assert found.p_at_most(lower - 1e-9) <= alpha < found.p_at_most(lower)


def test_bounds_are_missed_no_more_often_than_alpha() -> None:
    truth = stats.norm.ppf(0.9)
    rng = np.random.default_rng(1)
    rows = [of(rng.normal(size=60).tolist(), 0.9) for _ in range(400)]
    missed = sum(one.upper(0.05) < truth for one in rows)
    assert missed <= stats.binom.ppf(0.999, 400, 0.05)


def test_too_few_clusters_have_no_upper_bound_and_it_says_so() -> None:
    # 0.9 ** 28 is above 5 %: it takes 29 clusters.
    values = [*map(float, range(28))]
    assert math.isnan(of(values, 0.9).upper(0.05))
    assert of([*values, 28.0], 0.9).upper(0.05) == 28
    assert "28 clusters are too few" in str(of(values, 0.9).estimate(0.9).reason)


def test_a_breach_is_detectable_where_a_lower_bound_exists() -> None:
    found = of([*map(float, range(60))], 0.9)
    moved = found.detectable(100.0, 0.05)
    assert moved == pytest.approx(100 + found.value - found.lower(0.05))


def _share_of_first(totals: np.ndarray) -> np.ndarray:
    found = np.full(totals.shape[:-1], np.nan)
    whole = totals[..., :2].sum(axis=-1)
    np.divide(totals[..., 0], whole, out=found, where=whole > 0)
    return found


def sample(clusters: list[int] | None) -> PairedRows:
    rows = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0], [0.0, 0.0]])
    return PairedRows(
        old=CodedRows.plain(rows),
        new=CodedRows.plain(rows),
        clusters=None if clusters is None else np.array(clusters),
    )


def statistic(interval: QuantileOfClusters | ShareOfClusters) -> Statistic:
    return Statistic(
        name="first_share",
        value=_share_of_first,
        better="lower",
        description="",
        of="update",
        interval=interval,
    )


def test_clusters_without_a_value_are_left_out_and_told() -> None:
    # Clusters have 2 / 3 and 0; the third has none.
    found = evidence(sample([0, 0, 1, 2]), statistic(QuantileOfClusters(quantile=1)))
    assert found.value == pytest.approx(2 / 3)
    assert "1 of 3 clusters have no value" in str(found.estimate().reason)
    share = evidence(sample([0, 0, 1, 2]), statistic(ShareOfClusters(above=0.5)))
    assert share.value == 0.5


def test_without_clusters_it_is_undefined() -> None:
    found = evidence(sample(None), statistic(QuantileOfClusters(quantile=0.5)))
    assert "no clusters are told apart" in str(found.estimate().reason)
