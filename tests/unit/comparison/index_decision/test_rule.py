"""The rule that takes one of six ways to upgrade an encoder."""

import numpy as np
import pytest

from compat_eval.comparison.index_decision.result import UpgradeDecision
from compat_eval.comparison.index_decision.rule import decide_upgrade
from compat_eval.comparison.index_decision.ways import (
    BackfillWays,
    ServingCost,
    UpgradeAction,
    UpgradeTolerance,
    UpgradeWay,
)
from compat_eval.core.arrays import Values
from compat_eval.core.errors import UsageError
from compat_eval.statistics.backfill_curve import BackfillCurve

N = 1000


def right(n_right: int, n: int = N) -> Values:
    """Return queries of which the first are right: as much as possible is shared."""
    return (np.arange(n) < n_right).astype(np.float64)


def stay(values: Values) -> UpgradeWay:
    return UpgradeWay(
        role="old/old", action=UpgradeAction.STAY, values=values, needs_old=True
    )


def reindex(values: Values) -> UpgradeWay:
    return UpgradeWay(
        role="new/new",
        action=UpgradeAction.REINDEX,
        values=values,
        cost=ServingCost(vectors=500),
        share=1.0,
    )


def bridge(values: Values, *, needs_old: bool = False) -> UpgradeWay:
    return UpgradeWay(
        role="new+ridge/old",
        action=UpgradeAction.BRIDGE,
        values=values,
        needs_old=needs_old,
    )


def decided(*ways: UpgradeWay, **more: float | bool) -> UpgradeDecision:
    return decide_upgrade(ways, right=True, tolerance=UpgradeTolerance(**more))  # type: ignore[arg-type]


def test_where_re_indexing_brings_nothing_one_stays() -> None:
    found = decided(stay(right(800)), reindex(right(800)))

    assert found.verdict == "stay"
    assert "all that it could gain" in found.reason


def test_the_cheapest_way_that_is_shown_to_be_near_the_re_index_is_taken() -> None:
    cascade = UpgradeWay(
        role="cascade",
        action=UpgradeAction.CASCADE,
        values=right(900),
        cost=ServingCost(documents=50),
    )

    found = decided(stay(right(700)), reindex(right(900)), cascade, bridge(right(900)))

    assert (found.verdict, found.role) == ("bridge", "new+ridge/old")
    assert found.taken is not None
    assert found.taken.against_old.value == pytest.approx(0.2)
    assert found.taken.against_reindex.value == 0


def test_what_is_better_than_old_and_still_too_far_below_is_not_taken() -> None:
    found = decided(stay(right(700)), reindex(right(900)), bridge(right(800)))

    assert found.verdict == "re-index"
    assert "the nearest is new+ridge/old: -10.0" in found.reason


def test_a_wider_tolerance_takes_less_work() -> None:
    found = decided(
        stay(right(700)), reindex(right(900)), bridge(right(860)), below_reindex=0.08
    )

    assert found.verdict == "bridge"


def test_too_few_queries_end_as_undecided_and_say_how_many_would_do() -> None:
    rng = np.random.default_rng(0)
    old, new = (rng.random((2, 60)) < 0.6).astype(np.float64)

    found = decided(stay(old), reindex(new))

    assert found.verdict == "undecided"
    assert found.taken is None
    assert found.fresh_queries is not None
    assert found.fresh_queries > 60


def test_few_queries_that_all_agree_prove_little() -> None:
    assert decided(stay(right(9, 12)), reindex(right(9, 12))).verdict == "undecided"


def test_a_way_that_is_beaten_by_far_is_passed_over() -> None:
    """Staying is as good as the re-index, and an adapter is better than both."""
    found = decided(stay(right(700)), reindex(right(700)), bridge(right(800)))

    assert found.verdict == "bridge"
    assert "old/old is beaten by new+ridge/old" in found.reason


def test_what_needs_old_cannot_be_taken_once_old_is_gone() -> None:
    found = decided(
        stay(right(900)),
        reindex(right(950)),
        bridge(right(950), needs_old=True),
        old_may_answer=False,
    )

    assert found.verdict == "re-index"


def test_without_old_and_without_a_proof_it_is_undecided() -> None:
    found = decided(stay(right(900)), reindex(right(850)), old_may_answer=False)

    assert found.verdict == "undecided"
    assert "cannot go on answering" in found.reason


def test_points_below_old_may_be_tolerated() -> None:
    found = decided(
        stay(right(900)), reindex(right(890)), old_may_answer=False, below_old=0.05
    )

    assert found.verdict == "re-index"
    assert "at most 5 points below OLD" in found.reason


def curve(*n_right: int) -> BackfillWays:
    shares = np.linspace(0, 1, len(n_right))
    return BackfillWays(
        order="uncertain",
        curve=BackfillCurve(shares=shares, queries=np.stack([*map(right, n_right)])),
        roles=tuple(f"uncertain {share:.3g}" for share in shares),
        vectors=500,
    )


def test_the_least_share_from_which_all_are_certified_is_taken() -> None:
    found = decide_upgrade(
        [stay(right(700)), reindex(right(900))],
        [curve(650, 900, 800, 900, 900)],
        right=True,
    )

    assert (found.verdict, found.role) == ("backfill", "uncertain 0.75")
    assert found.taken is not None
    assert found.taken.cost.vectors == 375
    (order,) = found.backfills
    assert (order.certified, order.worst) == (0.75, 0.0)
    assert order.area == pytest.approx(0.84375)


def test_a_backfill_that_never_gets_there_is_no_way() -> None:
    found = decide_upgrade(
        [stay(right(700)), reindex(right(900))], [curve(700, 800, 900)], right=True
    )

    assert found.verdict == "re-index"
    assert found.backfills[0].certified is None


def test_a_share_of_none_is_no_backfill() -> None:
    found = decide_upgrade(
        [stay(right(700)), reindex(right(900))], [curve(900, 900, 900)], right=True
    )

    assert found.backfills[0].certified == 0.5


def test_scores_are_judged_as_scores() -> None:
    rng = np.random.default_rng(1)
    old = rng.random(600) / 2
    new = old + rng.random(600) / 4

    found = decide_upgrade(
        [stay(old), reindex(new), bridge(new - rng.random(600) / 500)]
    )

    assert found.verdict == "bridge"


def test_a_decision_is_read_back_as_it_was() -> None:
    found = decide_upgrade(
        [stay(right(700)), reindex(right(900))], [curve(650, 900, 900)], right=True
    )

    assert UpgradeDecision.from_dict(found.to_dict()) == found


def test_a_decision_needs_both_ends() -> None:
    with pytest.raises(UsageError, match="one way to re-index"):
        decided(stay(right(1)))


def test_ways_have_names_of_their_own_and_the_same_queries() -> None:
    with pytest.raises(UsageError, match="one name"):
        decided(stay(right(1)), reindex(right(1)), *(bridge(right(1)),) * 2)
    with pytest.raises(UsageError, match="not asked"):
        decided(stay(right(1)), reindex(right(1)), bridge(right(1, 9)))


def test_a_backfill_may_end_in_another_model_than_the_re_index() -> None:
    """A compatible NEW is embedded anew in part; the re-index is of a free one."""
    far = decide_upgrade(
        [stay(right(700)), reindex(right(900))], [curve(700, 800, 850)], right=True
    )
    near = decide_upgrade(
        [stay(right(700)), reindex(right(900))], [curve(700, 800, 899)], right=True
    )

    assert far.verdict == "re-index"
    assert (near.verdict, near.role) == ("backfill", "uncertain 1")
