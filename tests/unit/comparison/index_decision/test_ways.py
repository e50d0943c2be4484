"""Ways to upgrade an encoder, and what a user would accept."""

import numpy as np
import pytest

from compat_eval.comparison.index_decision.ways import (
    BackfillWays,
    UpgradeAction,
    UpgradeTolerance,
    UpgradeWay,
)
from compat_eval.core.errors import UsageError
from compat_eval.statistics.backfill_curve import BackfillCurve

HALF = np.array([0.5])


def test_shares_of_a_backfill_are_ways_with_vectors_to_write() -> None:
    curve = BackfillCurve(shares=np.array([0, 0.25, 1]), queries=np.ones((3, 1)))

    ways = BackfillWays(
        order="random", curve=curve, roles=("a", "b", "c"), vectors=10
    ).ways()

    assert [one.cost.vectors for one in ways] == [0, 2, 10]
    assert [one.role for one in ways] == ["a", "b", "c"]


@pytest.mark.parametrize("values", [[], [np.nan], [1.5], [-0.1]])
def test_a_measure_is_in_the_unit_interval(values: list[float]) -> None:
    with pytest.raises(UsageError, match="no value in"):
        UpgradeWay(role="a", action=UpgradeAction.BRIDGE, values=np.array(values))


def test_staying_needs_old_and_a_re_index_is_whole() -> None:
    with pytest.raises(UsageError, match="needs OLD"):
        UpgradeWay(role="a", action=UpgradeAction.STAY, values=HALF)
    with pytest.raises(UsageError, match="share 1"):
        UpgradeWay(role="a", action=UpgradeAction.REINDEX, values=HALF)


@pytest.mark.parametrize("value", [-0.1, 1.0, 5])
def test_a_tolerance_is_a_fraction(value: float) -> None:
    with pytest.raises(UsageError, match=r"write 0\.01"):
        UpgradeTolerance(below_reindex=value)
