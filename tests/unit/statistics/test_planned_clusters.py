"""Plans for clustered samples are judged by the bounds that judge real ones."""

import pytest
from scipy import stats

from compat_eval.core.grades import BROKEN
from compat_eval.statistics.planned_clusters import PlannedClusters
from compat_eval.statistics.power import lasting_n_with_power, smallest_n


def test_the_expected_sample_has_the_rate_and_the_correlation() -> None:
    planned = PlannedClusters(size=8, icc=0.3, broken=0.1)

    rows, chances = planned._clusters()

    mean = float(chances @ rows[:, BROKEN])
    spread = float(chances @ rows[:, BROKEN] ** 2) - mean**2
    assert mean == pytest.approx(0.8)
    assert spread == pytest.approx(8 * 0.1 * 0.9 * (1 + 7 * 0.3), rel=1e-6)
    expected = stats.betabinom.pmf(3, 8, 0.1 * 7 / 3, 0.9 * 7 / 3)
    assert chances[rows[:, BROKEN] == 3] == pytest.approx(expected)


@pytest.mark.parametrize("icc", [0.0, 1.0])
def test_the_ends_of_the_correlation(icc: float) -> None:
    rows, chances = PlannedClusters(size=4, icc=icc, broken=0.2, fixed=0.1)._clusters()

    all_broken = float(chances[rows[:, BROKEN] == 4].sum())
    assert all_broken == pytest.approx(0.2 if icc else 0.2**4, rel=1e-3)
    assert chances.sum() == pytest.approx(1)


def test_clusters_without_correlation_need_little_more_than_single_units() -> None:
    alone = lasting_n_with_power(0.05, 0.1)
    needed = PlannedClusters(size=5, icc=0.0, broken=0.05).needed(0.1, 0.05, 0.8)

    assert alone is not None
    assert needed is not None
    assert alone * 0.9 < needed < alone * 1.4


def test_so_many_clusters_are_needed_as_single_units_without_a_flip() -> None:
    """Their design effect of 5.75 alone would say 24."""
    needed = PlannedClusters(size=20, icc=0.25, broken=0.001).needed(0.02, 0.05, 0.8)

    assert needed is not None
    assert needed / 20 > smallest_n(0, 0.02)


def test_a_change_and_its_chance() -> None:
    planned = PlannedClusters(size=6, icc=0.1, broken=0.04, fixed=0.06, change=True)

    needed = planned.needed(-0.01, 0.05, 0.8)

    assert needed is not None
    assert planned.chance(needed, -0.01, 0.05) == pytest.approx(0.8, abs=0.03)
    assert planned.chance(needed / 3, -0.01, 0.05) < 0.6


def test_large_clusters_are_coarser_and_not_slower() -> None:
    rows, chances = PlannedClusters(size=5000, icc=0.1, broken=0.1)._clusters()

    assert len(rows) <= 101
    assert float(chances @ rows[:, BROKEN]) == pytest.approx(500)
