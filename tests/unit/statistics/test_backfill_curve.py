"""The backfill curve."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat_eval.core.arrays import Values
from compat_eval.core.errors import UsageError
from compat_eval.statistics.backfill_curve import BackfillCurve

QUARTERS = np.linspace(0, 1, 5)


def curve(*means: float, shares: Values = QUARTERS) -> BackfillCurve:
    return BackfillCurve(shares=shares, queries=np.array(means)[:, None])


def test_area_by_hand() -> None:
    assert curve(46.4, 50, 56, 62, 68.4).area == pytest.approx(56.35)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=5, max_size=5))
def test_the_area_lies_between_the_least_and_the_best(means: list[float]) -> None:
    assert min(means) - 1e-12 <= curve(*means).area <= max(means) + 1e-12


def test_the_worst_point_may_lie_inside() -> None:
    assert curve(0.5, 0.3, 0.4, 0.6, 0.7).worst == (0.25, 0.3)


def test_uneven_shares_count_by_their_width() -> None:
    assert curve(0, 0, 1, shares=np.array([0, 0.9, 1])).area == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("means", "first"),
    [
        ((0.4, 0.6, 0.7, 0.8, 0.9), 0.25),
        ((0.6, 0.4, 0.7, 0.8, 0.9), 0.5),
        ((0.9, 0.9, 0.9, 0.9, 0.4), None),
    ],
)
def test_from_the_first_certified_share_on_all_are(
    means: tuple[float, ...], first: float | None
) -> None:
    found = curve(*means).first_certified([mean > 0.5 for mean in means])

    assert found == first


@pytest.mark.parametrize("shares", [[0, 0.5], [0.1, 1], [0, 0, 1], [1]])
def test_shares_rise_from_0_to_1(shares: list[float]) -> None:
    with pytest.raises(UsageError, match="from 0 to 1"):
        BackfillCurve(shares=np.array(shares), queries=np.ones((len(shares), 1)))


def test_a_missing_value_is_refused() -> None:
    with pytest.raises(UsageError, match="each query's value"):
        curve(1, 1, np.nan, 1, 1)
