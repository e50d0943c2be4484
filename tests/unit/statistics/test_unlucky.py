"""The unlucky sample of clusters, and the advice that follows from it."""

import numpy as np
import pytest

from compat_eval.core.grades import BROKEN
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.unlucky import FEWEST, BoundedMean, unlucky

NFR = FLIP_STATISTICS["nfr"]
SHARE = BoundedMean(of=NFR.value, lowest=0.0)


def clusters(*broken: int, size: int = 10, weights: bool = False) -> FlipTable:
    """Return clusters of equal size of which so many units break."""
    codes = [[1] * k + [0] * (size - k) for k in broken]
    return FlipTable.of(
        np.concatenate(codes).astype(np.int64),
        clusters=np.repeat(np.arange(len(broken)), size),
        weights=np.full(size * len(broken), 2.0) if weights else None,
    )


SAMPLE = clusters(*[0] * 60, *[1] * 20, *[2] * 15, *[5] * 5)


def test_it_strays_by_about_one_standard_error_at_84_percent() -> None:
    found = unlucky(SAMPLE, SHARE, 1.0, "at_most", at=0.8413)

    rows, times = SAMPLE.grouped
    broken = np.repeat(rows[:, BROKEN], times.astype(int))
    error = broken.std(ddof=1) / 10 / np.sqrt(100)
    assert NFR.value(found.totals) - 0.075 == pytest.approx(error, rel=0.15)
    assert found.n_units == pytest.approx(1000, abs=1)


def test_it_strays_less_the_larger_it_is_and_to_the_side_of_the_limit() -> None:
    values = [
        float(NFR.value(unlucky(SAMPLE, SHARE, times, side).totals))
        for side in ("at_least", "at_most")
        for times in (1.0, 4.0)
    ]

    low, less_low, high, less_high = values
    assert low < less_low < 0.075 < less_high < high


def test_nothing_strays_where_nothing_breaks() -> None:
    found = unlucky(clusters(*[0] * 50), SHARE, 3.0, "at_most")

    assert found.counts[BROKEN] == 0
    assert found.n_clusters == 150
    assert found.n_examples == 1500


def test_without_a_flip_the_clusters_decide_for_sure() -> None:
    fresh = evidence(clusters(*[0] * 50), NFR).fresh_examples(0.02, 0.05)

    assert fresh.examples == pytest.approx(1500, abs=10)  # 149 clusters, 1 in 100 more
    assert fresh.power == pytest.approx(1.0)


def test_the_advice_decides_for_the_unlucky_sample_and_not_for_a_smaller_one() -> None:
    found = evidence(SAMPLE, NFR)
    fresh = found.fresh_examples(0.1, 0.05)

    assert fresh.examples is not None
    assert fresh.power == 0.8
    for more, decides in ((1.01, True), (0.97, False)):
        again = unlucky(SAMPLE, SHARE, more * fresh.examples / 1000, "at_most")
        assert (evidence(again, NFR).p_above(0.1) <= 0.05) is decides


def test_where_few_clusters_are_large_some_are_in_the_fresh_sample() -> None:
    small = [np.array([1] + [0] * 9)] * 10 + [np.zeros(10, np.int64)] * 89
    codes = np.concatenate([*small, np.zeros(5000, np.int64)])
    sizes = [10] * 99 + [5000]
    found = evidence(
        FlipTable.of(codes, clusters=np.repeat(np.arange(100), sizes)), NFR
    )
    fresh = found.fresh_examples(0.2, 0.05)

    assert fresh.examples is not None
    assert fresh.examples >= (FEWEST - 1) * len(codes)
    assert fresh.power > 0.99


def test_a_limit_that_is_not_kept_has_no_advice() -> None:
    found = evidence(SAMPLE, NFR)

    assert "not below" in str(found.fresh_examples(0.07, 0.05).reason)
    assert "not above" in str(found.fresh_examples(0.08, 0.05, side="at_least").reason)
    assert found.fresh_examples(0.0750001, 0.05).examples is None  # billions


def test_weights_that_are_all_alike_change_little() -> None:
    plain, weighted = (
        evidence(
            clusters(*[0] * 60, *[1] * 20, *[2] * 15, *[5] * 5, weights=on), NFR
        ).fresh_examples(0.1, 0.05)
        for on in (False, True)
    )

    assert plain.examples is not None
    assert weighted.examples == pytest.approx(plain.examples, rel=0.25)
