"""Slices and values of facets as rows of one table."""

from compat_eval.comparison.result import UnitCounts
from compat_eval.core.estimate import Estimate
from compat_eval.core.grades import Level
from compat_eval.report.parts import counted_units, part_rows, part_table, worst_first
from compat_eval.report.results import read_results
from tests.unit.report.made_run import estimate, made_run, varied_rows

ROWS = varied_rows(300, broken=20, fixed=12, missed=30)


def slices() -> tuple[UnitCounts, ...]:
    return read_results(made_run(ROWS)).task.update.slices


def test_the_worst_come_first_by_the_lower_end_of_their_interval() -> None:
    ranked = worst_first(slices())

    lows = [one.lost_rate.low for one in ranked]
    assert lows == sorted(lows, reverse=True)


def test_a_table_lists_the_worst_and_counts_the_rest() -> None:
    update = read_results(made_run(ROWS)).task.update

    worst = part_table(update.slices, update.main, most=2)
    ordered = part_table(update.slices, update.main, most=2, in_order=True)

    assert len(worst.rows) == 2
    assert worst.left_out == len(update.slices) - 2
    assert sorted(row.name for row in worst.rows) == sorted(
        row.name for row in ordered.rows
    )
    places = [int(row.order) for row in ordered.rows]
    assert places == sorted(places)


def test_the_columns_have_the_same_decimals() -> None:
    rows = part_rows(slices())

    decimals = {len(row.rate.text.partition(".")[2]) for row in rows}
    assert len(decimals) == 1


def test_levels_of_both_scales_may_stand_in_one_table() -> None:
    right = slices()[0]
    scored = UnitCounts(
        level=Level("ndcg", "query", "queries", scale="score"),
        part="topic=harbour",
        units=12,
        clusters=None,
        counts={"same": 5, "worse": 3, "better": 4},
        statistics={"mean_change": Estimate.from_dict(estimate(-0.033, -0.1, 0.1))},
    )

    rows = part_rows([right, scored])

    assert rows[0].accuracy_old.endswith("%")
    assert rows[0].change.text.endswith("points")
    assert (rows[1].accuracy_old, rows[1].impact) == ("", None)
    assert rows[1].change.text == "−0.033"
    assert counted_units([right, scored]) == "Units"


def test_units_of_one_level_give_the_heading() -> None:
    level = Level("page", "page", "pages")
    part = UnitCounts(
        level=level, part="", units=0, clusters=None, counts={}, statistics={}
    )

    assert counted_units([part, part]) == "Pages"
