"""Update gain, tax and the scores over data sets: published figures."""

import math

import numpy as np
import pytest

from compat_eval.statistics.families.upgrades import (
    UPGRADE_STATISTICS,
    compatibility_tax,
    gain_points,
    p_1,
    p_comp,
    p_up,
    share_means_little,
    update_gain,
    upgrade_sums,
)

SELF = np.array([80.58, 56.34, 14.61])
CROSS = np.array([77.37, 49.66, 11.30])
OLD = np.array([75.45, 49.15, 10.03])
BEST = np.array([81.15, 63.85, 16.48])


@pytest.mark.parametrize(
    ("new_old", "old_old", "paragon", "gain"),
    [
        (42.2, 39.5, 66.3, 0.1007),
        (46.8, 39.5, 66.3, 0.2724),
        (13.0, 39.5, 66.3, -0.9888),
        (65.1, 46.4, 68.4, 0.85),
        (39.5, 39.5, 66.3, 0.0),
        (66.3, 39.5, 66.3, 1.0),
    ],
)
def test_update_gains_of_papers(
    new_old: float, old_old: float, paragon: float, gain: float
) -> None:
    rows = np.array([1.0, old_old, paragon, 1.0, new_old, 0.0])

    assert update_gain(rows) == pytest.approx(gain, abs=5e-5)


@pytest.mark.parametrize("paragon", [39.5, 30.0])
def test_no_gain_where_the_paragon_is_not_better(paragon: float) -> None:
    rows = np.array([1.0, 39.5, paragon, 1.0, 42.2, 50.0])

    assert math.isnan(update_gain(rows))
    assert gain_points(rows) == pytest.approx(2.7)


def test_points_where_the_paragon_is_hardly_better() -> None:
    near = np.array([1.0, 0.60, 0.63, 1.0, 0.62, 0.62])
    far = np.array([1.0, 0.60, 0.65, 1.0, 0.62, 0.62])

    assert share_means_little(near)
    assert not share_means_little(far)


def test_sums_of_queries_give_the_means_of_queries() -> None:
    """Two queries: OLD finds one, NEW on OLD's index and by itself both, as paragon."""
    old, new = upgrade_sums(
        old_old=np.array([1.0, 0.0]),
        new_old=np.array([1.0, 1.0]),
        new_new=np.array([0.0, 1.0]),
        paragon=np.array([1.0, 1.0]),
    )
    rows = np.concatenate([old.sum(axis=0), new.sum(axis=0)])

    assert gain_points(rows) == pytest.approx(0.5)
    assert update_gain(rows) == pytest.approx(1.0)
    assert compatibility_tax(rows) == pytest.approx(0.5)


def test_scores_over_three_data_sets_as_published() -> None:
    assert 100 * p_up(SELF, BEST) == pytest.approx(48.02, abs=5e-3)
    assert 100 * p_comp(CROSS, OLD, BEST) == pytest.approx(54.71, abs=5e-3)
    assert 100 * p_1(SELF, CROSS, OLD, BEST) == pytest.approx(51.13, abs=5e-3)


def test_the_paragon_is_not_compatible() -> None:
    cross = np.array([4.93, 1.20, 0.2])

    assert 100 * p_comp(cross, OLD, BEST) == pytest.approx(7.19, abs=5e-3)


def test_scores_are_neutral_at_one_half() -> None:
    assert p_up(BEST, BEST) == pytest.approx(0.5)
    assert p_comp(OLD, OLD, BEST) == pytest.approx(0.5)


def test_an_undefined_gain_leaves_its_score_undefined() -> None:
    assert math.isnan(p_comp(CROSS, OLD, OLD))


def test_names_are_those_of_the_statistics() -> None:
    assert [*UPGRADE_STATISTICS] == [
        "gain_points",
        "update_gain",
        "retention",
        "compatibility_tax",
    ]
