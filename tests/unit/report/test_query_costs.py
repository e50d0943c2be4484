"""What a query costs each encoder, and each way to serve an index."""

import pytest

from compat_eval.comparison.index_decision.result import JudgedWay
from compat_eval.comparison.index_decision.ways import ServingCost, UpgradeAction
from compat_eval.core.estimate import undefined
from compat_eval.report.query_costs import QueryCost, milliseconds_of

COSTS = {
    role: QueryCost(flops=flops, milliseconds=ms, milliseconds_together=ms / 8)
    for role, flops, ms in (("old", 50.0, 4.0), ("new", 10.0, 1.0))
}


def way(role: str, action: UpgradeAction, *, forwards: float = 1.0) -> JudgedWay:
    nothing = undefined("not asked", confidence=0.95, method="none")
    return JudgedWay(
        role=role,
        action=action,
        share=0.0,
        needs_old=action is UpgradeAction.STAY,
        cost=ServingCost(forwards=forwards),
        mean=0.5,
        against_old=nothing,
        against_reindex=nothing,
        p=0.5,
        level=0.05,
        acceptable=False,
    )


def test_the_time_of_a_way_is_that_of_its_passes() -> None:
    stay = way("old", UpgradeAction.STAY)
    bridge = way("new+ridge/old", UpgradeAction.BRIDGE)
    mixed = way("new+slerp/old", UpgradeAction.BRIDGE, forwards=2)

    assert milliseconds_of(stay, COSTS) == pytest.approx(4.0)
    assert milliseconds_of(bridge, COSTS) == pytest.approx(1.0)
    assert milliseconds_of(mixed, COSTS) == pytest.approx(5.0)


def test_without_a_measurement_nothing_is_told() -> None:
    assert milliseconds_of(way("old", UpgradeAction.STAY), {}) is None
    mixed = way("new+slerp/old", UpgradeAction.BRIDGE, forwards=2)
    assert milliseconds_of(mixed, {"new": COSTS["new"]}) is None
