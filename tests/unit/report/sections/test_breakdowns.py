"""Breakdowns of words, and whether they broke together."""

from compat_eval.report.render import render
from compat_eval.report.results import read_results
from compat_eval.report.section import ReportedRun
from compat_eval.report.sections.breakdowns import (
    Breakdowns,
    breakdowns,
    coflips,
    worst_values,
)
from compat_eval.runs.directory import Run
from tests.fakes import judged, update
from tests.unit.report.parsed_run import parsed_run, run_of, sentences


def broken_down(run: Run) -> Breakdowns | None:
    reported = ReportedRun.of(read_results(run))
    return breakdowns(reported.results.task, reported.deck)


def test_facets_are_listed_worst_first_or_in_their_order() -> None:
    found = broken_down(parsed_run())

    assert found is not None
    tables = {one.title: [row.name for row in one.table.rows] for one in found.tables}
    assert tables["Relation"][:2] == ["det", "obj"]
    assert tables["Head distance"] == ["root", "1", "2", "3"]
    assert list(found.folded) == ["Whole trees, unlabelled (UCM)"]


def test_the_three_worst_values_are_of_different_facets() -> None:
    results = read_results(parsed_run())

    found = worst_values(results.task.update)

    # Each is the one word 'the', which broke.
    assert [(facet, value.part) for facet, value in found.items()] == [
        ("head_distance", "2"),
        ("part_of_speech", "DET"),
        ("relation", "det"),
    ]
    summary = render(parsed_run())["summary.md"].decode()
    assert "| Relation | `det` | 1 | 1 | 0 | 100.0" in summary
    assert "| Example | Input | Flipped | Old | New |" in summary


def test_values_that_are_left_out_are_counted() -> None:
    words = sentences(40, size=6)
    run = run_of(words, "las")
    found_here = judged(run.comparison)["analyses"]
    values = [
        {**found_here["breakdowns"][0]["values"][0], "value": f"v{at:02}"}
        for at in range(20)
    ]
    one = {**found_here["breakdowns"][0], "values": values, "left_out": 7}

    found_here["breakdowns"] = [one]

    found = broken_down(run)

    assert found is not None
    assert (len(found.tables[0].table.rows), found.tables[0].left_out) == (
        15,
        "12 more values",
    )


def test_pairs_say_what_independence_would_give() -> None:
    found = coflips(read_results(parsed_run()).task)

    assert found is not None
    # One of seven pairs; 2 of 7 words broke: (2/7) / (2 − 2/7).
    assert found.said == (
        "Where one of two words of an example broke, both did in 14.3\u00a0% of the "
        "pairs; it would be 16.7\u00a0% if words broke independently."
    )
    assert [row.distance for row in found.tables[1].rows] == ["1", "2", "3"]


def test_where_nothing_broke_there_are_no_pairs_to_show() -> None:
    same = sentences(2, size=3)
    unchanged = update(same.examples, same.old, same.old, task="dependency")

    assert coflips(read_results(run_of(unchanged, "las")).task) is None


def test_what_broke_leads_to_the_examples_with_such_words() -> None:
    reported = ReportedRun.of(read_results(parsed_run()))
    found = breakdowns(reported.results.task, reported.deck)

    assert found is not None
    rows = {row.name: row for row in found.tables[0].table.rows}
    assert rows["det"].lost_link == "#flips?show=broken&part=relation%3Ddet"
    (part,) = (one for one in reported.deck.filters if one.name == "part")
    key = next(
        one.key for one in part.groups["relation"] if "relation=det" in one.value
    )
    broken = [
        card.flip.id
        for card in reported.deck.cards
        if key in card.keys.get("part", "").split()
    ]
    assert broken == ["s1"]
