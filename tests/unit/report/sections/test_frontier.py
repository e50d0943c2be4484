"""The drawing of accuracy against flips, and what dominates what."""

from typing import Any

import pytest

from compat_eval.report.results import read_results
from compat_eval.report.sections.frontier import Frontier, frontier, relations
from tests.unit.report.hostile import HOSTILE
from tests.unit.report.made_mitigation import made_frontier, made_mitigation
from tests.unit.report.made_run import Row, made_run, summary

ROWS = [
    Row(id="a", text="a", gold="x", old="x", new="y"),
    Row(id="b", text="b", gold="x", old="y", new="x"),
]
ROLES = ("new+one", "new+two")
LEVEL = {"accuracy": 0.8, "nfr": 0.1, "nfi": 0.5, "pfr": 0.2}


def drawn(*points: dict[str, Any], **facts: Any) -> Frontier:
    tried = [
        made_mitigation(summary(ROWS), role=role, name=f"mix:{role[4:]}", **facts)
        for role in ROLES[: len(points)]
    ]
    made = made_frontier(
        *({"role": role, **one} for role, one in zip(ROLES, points, strict=False))
    )
    run = made_run(ROWS, task={"mitigations": tried, "frontier": made})
    found = frontier(read_results(run))
    assert found is not None
    return found


def test_fewer_flips_lie_to_the_left_and_a_gain_above() -> None:
    found = drawn({"nfr": 0.02, "accuracy": 0.03}, {"nfr": 0.2, "accuracy": -0.03})

    by_mark = {one.mark: one for one in found.points}
    new, one, two = by_mark["NEW"], by_mark["1"], by_mark["2"]
    assert float(one.x) < float(new.x) == float(found.new_x) < float(two.x)
    assert float(one.y) < float(new.y) == float(found.new_y) < float(two.y)
    assert float(one.low_x) < float(one.x) < float(one.high_x)
    assert float(by_mark["OLD"].x) < float(one.x)


def test_a_disc_s_area_is_how_often_models_are_asked() -> None:
    found = drawn({"nfr": 0.02, "accuracy": 0.03})

    by_mark = {one.mark: float(one.radius) for one in found.points}
    # OLD and NEW once each: twice the area.
    assert by_mark["1"] ** 2 == pytest.approx(2 * by_mark["NEW"] ** 2, rel=0.03)
    assert found.points[0].mark == "1"


def test_points_at_one_place_have_one_label() -> None:
    found = drawn({"nfr": 0.02, "accuracy": 0.03}, {"nfr": 0.02, "accuracy": 0.03})

    assert sorted(one.label for one in found.points) == ["", "1, 2", "NEW", "OLD"]


def test_what_is_undefined_is_not_drawn() -> None:
    found = drawn({"nfr": None, "accuracy": 0.0})

    assert {one.mark for one in found.points} == {"OLD", "NEW"}


def test_what_is_shown_is_said_and_the_rest_counted() -> None:
    found = drawn({"nfr": 0.02, "accuracy": 0.03, "relation": "dominated"})

    assert found.sentences == (
        "1 (mix:one) dominates NEW without a mitigation.",
        "Undecided: 2 pairs.",
    )
    assert "Holm's correction over all 6 claims" in found.rule
    assert [row.strong for row in found.pairs].count(True) == 1


def test_a_mitigation_is_told_how_it_stands_to_new() -> None:
    tried = [made_mitigation(summary(ROWS), role="new+one")]
    made = made_frontier({"role": "new+one", "relation": "dominated"})
    run = made_run(ROWS, task={"mitigations": tried, "frontier": made})

    assert relations(read_results(run)) == {"new+one": "dominates"}


def chosen(**values: Any) -> dict[str, Any]:
    points = [(0.1, 0.8), (0.05, 0.82)]
    return {
        "values": values,
        "split": "dev",
        "n_examples": 10,
        "delta": 0.0,
        "harmless": True,
        "keep_old": {"example": LEVEL},
        "untreated": {"example": {**LEVEL, "nfr": 0.12}},
        "tried": [
            {"values": values, "levels": {"example": {"nfr": x, "accuracy": y}}}
            for x, y in points
        ],
    }


def test_settings_on_dev_are_a_line_where_one_option_varied() -> None:
    point = {"nfr": 0.02, "accuracy": 0.03}
    [one] = drawn(point, chosen=chosen(weight=0.3)).dev
    [two] = drawn(point, chosen=chosen(alpha=1, beta=5)).dev

    assert len(one.dots) == len(two.dots) == 3
    assert one.line.count("L") == 2
    assert two.line == ""


def test_without_mitigations_there_is_no_drawing() -> None:
    assert frontier(read_results(made_run(ROWS))) is None


@pytest.mark.parametrize("hostile", HOSTILE[:3])
def test_a_hostile_name_is_text(hostile: str) -> None:
    from compat_eval.report.render import render

    tried = [made_mitigation(summary(ROWS), role="new+one", name=hostile)]
    made = made_frontier({"role": "new+one"})
    run = made_run(ROWS, task={"mitigations": tried, "frontier": made})

    page = render(run)["report.html"].decode()

    assert "<script>alert" not in page
    assert "<img src=x" not in page
