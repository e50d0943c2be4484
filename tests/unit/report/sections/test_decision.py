"""The decision on an index, in words and positions."""

import numpy as np

from compat_eval.comparison.index_decision.rule import decide_upgrade
from compat_eval.comparison.index_decision.ways import (
    BackfillWays,
    ServingCost,
    UpgradeAction,
    UpgradeTolerance,
    UpgradeWay,
)
from compat_eval.core.arrays import Values
from compat_eval.report.html import environment, render_html
from compat_eval.report.results import read_results
from compat_eval.report.section import ReportedRun
from compat_eval.report.sections.decision import (
    DecisionView,
    decision_view,
    said,
)
from compat_eval.statistics.backfill_curve import BackfillCurve
from tests.unit.report.hostile import HOSTILE
from tests.unit.report.made_run import Row, made_run


def right(n_right: int, n: int = 1000) -> Values:
    return (np.arange(n) < n_right).astype(np.float64)


def shown(
    old: int,
    new: int,
    *,
    bridge: int = 0,
    first: int = 0,
    name: str = "new+ridge/old",
    n: int = 1000,
) -> DecisionView:
    ways = [
        UpgradeWay(
            role="old/old",
            action=UpgradeAction.STAY,
            values=right(old, n),
            needs_old=True,
        ),
        UpgradeWay(
            role=name,
            action=UpgradeAction.BRIDGE,
            values=right(bridge, n),
            cost=ServingCost(forwards=2, mapped=500),
            needs_old=True,
        ),
        UpgradeWay(
            role="new/new",
            action=UpgradeAction.REINDEX,
            values=right(new, n),
            cost=ServingCost(vectors=500),
            share=1.0,
        ),
    ]
    points = [first or old, (old + new) // 2, new, new]
    curve = BackfillCurve(
        shares=np.array([0, 0.25, 0.5, 1]),
        queries=np.stack([right(one, n) for one in points]),
    )
    roles = tuple(f"new/mixed random {share:.3g}" for share in curve.shares)
    backfills = [BackfillWays(order="random", curve=curve, roles=roles, vectors=500)]
    return decision_view(
        decide_upgrade(ways, backfills, right=True, tolerance=UpgradeTolerance())
    )


def test_a_bridge_says_what_it_costs() -> None:
    found = shown(700, 900, bridge=900)

    assert found.word == "Bridge"
    assert found.cost == (
        "0 vectors to embed and write; 500 vectors to map and write; 2 passes for a "
        "query; 0.0\xa0points (−0.4 to +0.4\xa0points) against the re-index; OLD's "
        "encoder goes on answering."
    )
    assert [row.taken for row in found.rows] == [False, True, False, False]


def test_a_backfill_says_how_much_and_is_drawn() -> None:
    found = shown(700, 900)
    (curve,) = found.curves

    assert found.word == "Backfill 50\xa0%"
    assert curve.said == "area 0.850; worst 0.700 at 0\xa0%; acceptable from 50\xa0% on"
    heights = [float(y) for _, y, _ in curve.dots]
    assert heights[0] > heights[1] > heights[2] == heights[3]
    assert float(found.reindexed) < float(found.old)


def test_a_backfill_that_dips_below_old_says_up_to_where() -> None:
    (curve,) = shown(700, 900, first=500).curves

    assert "shown to be worse than OLD at up to 0\xa0%" in curve.said


def test_undecided_has_no_cost_and_says_how_many_queries_would_settle_it() -> None:
    found = shown(20, 22, n=40)

    assert (found.word, found.kind, found.cost) == ("Undecided", "inconclusive", "")
    assert "fresh queries would settle it" in found.rule


def test_old_is_not_compared_with_itself() -> None:
    rows = shown(700, 900).rows

    assert rows[0].against_old is None
    assert rows[-1].against_reindex is None


def test_what_a_name_holds_is_escaped() -> None:
    page = (
        environment()
        .get_template("decision.html.j2")
        .render(view=shown(700, 900, bridge=900, name=HOSTILE[0]))
    )

    assert "<script>" not in page


def test_without_a_decision_there_is_no_section() -> None:
    rows = [Row(id="a", text="a", gold="x", old="x", new="y")]
    results = read_results(made_run(rows))

    assert said(results) == ""
    assert 'id="decision"' not in render_html(ReportedRun.of(results)).decode()
