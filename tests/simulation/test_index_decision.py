"""How often the rule on upgrades of encoders takes a way that is not acceptable."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator

from compat_eval.comparison.index_decision.rule import decide_upgrade
from compat_eval.comparison.index_decision.ways import (
    BackfillWays,
    UpgradeAction,
    UpgradeWay,
)
from compat_eval.core.arrays import Values
from compat_eval.statistics.backfill_curve import BackfillCurve

ALPHA, DRAWS, N, WAYS = 0.05, 200, 800, 4
BELOW = 0.01


def most(draws: int) -> float:
    """Alpha, and three standard errors of a share counted in so many draws."""
    return ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / draws)


Draw = Callable[[Generator, float], Values]


def _right(rng: Generator, mean: float) -> Values:
    return (rng.random(N) < mean).astype(np.float64)


def _gains(rng: Generator, mean: float) -> Values:
    """nDCG-like: most queries at one end, some anywhere."""
    found = np.where(rng.random(N) < mean, 1.0, 0.0)
    return np.where(rng.random(N) < 0.3, rng.beta(2 * mean, 2 * (1 - mean), N), found)


def way(role: str, action: UpgradeAction, values: Values) -> UpgradeWay:
    return UpgradeWay(
        role=role,
        action=action,
        values=values,
        needs_old=action is UpgradeAction.STAY,
        share=float(action is UpgradeAction.REINDEX),
    )


def taken(
    rng: Generator, draw: Draw, *, old: float, new: float, between: float
) -> tuple[set[str], str]:
    """Return what is called acceptable, and the verdict, where the truth is given."""
    new_values = draw(rng, new)
    part = np.stack([draw(rng, between) for _ in range(3)] + [new_values])
    ways = [
        way("old", UpgradeAction.STAY, draw(rng, old)),
        *(
            way(f"bridge {at}", UpgradeAction.BRIDGE, draw(rng, between))
            for at in range(WAYS)
        ),
        way("new", UpgradeAction.REINDEX, new_values),
    ]
    curve = BackfillCurve(shares=np.array([0, 0.3, 0.6, 1.0]), queries=part)
    found = decide_upgrade(
        ways,
        [BackfillWays(order="random", curve=curve, roles=tuple("abcd"), vectors=N)],
        right=draw is _right,
        alpha=ALPHA,
    )
    return {one.role for one in found.ways if one.acceptable}, found.verdict


@pytest.mark.usefixtures("verdicts_only")
@pytest.mark.parametrize("draw", [_right, _gains])
def test_no_way_is_accepted_wrongly_more_often_than_alpha(draw: Draw) -> None:
    """Every way but the re-index is as far below it as is just too far."""
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(DRAWS):
        accepted, _ = taken(rng, draw, old=0.6, new=0.8, between=0.8 - BELOW)
        wrong += bool(accepted - {"new"})

    assert wrong / DRAWS <= most(DRAWS)


@pytest.mark.usefixtures("verdicts_only")
def test_a_re_index_that_is_no_better_is_not_taken_more_often_than_alpha() -> None:
    """OLD and NEW are alike: staying may be taken, a re-index hardly ever."""
    rng = np.random.default_rng(4)
    wrong = 0
    for _ in range(DRAWS):
        accepted, _ = taken(rng, _right, old=0.7, new=0.7 - 1e-9, between=0.5)
        wrong += "new" in accepted

    assert wrong / DRAWS <= most(DRAWS)


@pytest.mark.usefixtures("verdicts_only")
def test_what_cannot_be_known_is_undecided_and_not_kept() -> None:
    rng = np.random.default_rng(5)
    verdicts = [taken(rng, _right, old=0.7, new=0.7, between=0.5)[1] for _ in range(50)]

    assert verdicts.count("undecided") >= 45
    assert verdicts.count("stay") <= 5
