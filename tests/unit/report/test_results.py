import json
import math
from typing import Any

import pytest

from compat_eval.comparison import own_grades
from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.grades import Level
from compat_eval.report import results as results_module
from compat_eval.report.render import render
from compat_eval.report.results import read_results
from tests.unit.report.made_run import gate, made_run, share, summary, varied_rows
from tests.unit.report.parsed_run import parsed_run

ROWS = varied_rows(40, broken=3, fixed=2, missed=4)


def test_what_is_null_in_json_is_nan_here() -> None:
    perfect = varied_rows(10, broken=0, fixed=0, missed=0)

    found = read_results(made_run(perfect)).task.update.main

    assert math.isnan(found.statistics["nfi"].value)
    assert found.statistics["nfi"].reason == "new makes no error"
    assert math.isnan(found.mcnemar_p)


def test_levels_are_those_that_the_run_describes() -> None:
    found = read_results(parsed_run("las", "ucm"))

    assert [one.level.units for one in found.task.update.levels.values()] == [
        "words",
        "sentences",
    ]
    assert found.level("las").title == "Labelled attachment (LAS)"


def test_a_run_is_shown_also_where_its_task_kind_is_not_installed() -> None:
    levels = {"page": summary(ROWS)}
    task = {"levels": levels, "slices": [], "kind": "from elsewhere"}

    found = read_results(made_run(ROWS, task=task))

    assert found.task.update.main.level == Level("page", "unit", "units")


def test_levels_stand_in_the_order_of_the_run() -> None:
    found = read_results(parsed_run("ucm", "uas", "las"))

    assert list(found.task.update.levels) == ["ucm", "uas", "las"]


def test_a_gate_without_level_is_of_the_first_one() -> None:
    run = made_run(ROWS, gates=[gate(level=None, p_value=None, estimate=share(3, 40))])

    (found,) = read_results(run).gates

    assert found.level.name == "example"
    assert math.isnan(found.p_value)


def test_the_counts_of_a_slice_are_found_by_level_and_name() -> None:
    found = read_results(made_run(ROWS))
    update, level = found.task.update, found.level("example")

    travel = update.part(level, "domain=travel")

    assert travel is not None
    assert travel.part == "domain=travel"
    assert update.part(level, "") is update.main
    assert update.part(level, "domain=nowhere") is None


def test_no_task_no_level_and_unknown_levels_are_errors() -> None:
    with pytest.raises(DataError, match="exactly one task; this run has 0"):
        read_results(made_run(ROWS, tasks=[]))
    with pytest.raises(DataError, match="has no level"):
        read_results(made_run(ROWS, task={"levels": {}}))
    with pytest.raises(UsageError, match="no level 'las'; it has example"):
        read_results(made_run(ROWS)).level("las")


def test_what_json_kept_is_what_the_comparison_said() -> None:
    run = parsed_run("las", "ucm")
    said = json.loads(json.dumps(run.comparison))["tasks"][0]["updates"][0]

    found = read_results(run).task

    for name, counted in found.update.levels.items():
        assert counted.counts == said["levels"][name]["counts"]
        for key, estimate in counted.statistics.items():
            assert estimate.to_dict() == said["levels"][name]["statistics"][key]
    assert len(found.update.slices) == len(said["slices"])
    assert [one.name for one in found.update.facets()] == [
        one["facet"] for one in said["analyses"]["breakdowns"]
    ]


def test_a_report_grades_each_side_once_a_level(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graded: list[list[str]] = []

    def counted(*args: Any) -> Any:
        graded.append(args[-1])
        return own_grades.graded(*args)

    monkeypatch.setattr(results_module, "graded", counted)

    render(parsed_run("las", "ucm"))

    assert sorted(graded) == [["las"], ["las"], ["ucm"], ["ucm"]]
