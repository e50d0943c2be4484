import xml.etree.ElementTree as ET
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped

from compat_eval.report.junit import Inconclusive, render_junit
from compat_eval.report.results import read_results
from tests.unit.report.hostile import HOSTILE
from tests.unit.report.made_run import Row, gate, made_run, varied_rows

ROWS = varied_rows(1000, broken=13, fixed=26, missed=50)


def cases(
    *gates: dict[str, Any], inconclusive: Inconclusive = "fail", **top: Any
) -> list[Any]:
    run = made_run(ROWS, gates=gates, verdict="fail", **top)
    read = JUnitXml.fromstring(
        render_junit(read_results(run), inconclusive=inconclusive)
    )
    return list(next(iter(read)))


def test_one_case_a_gate_with_a_readable_name() -> None:
    (case,) = cases(gate())

    assert case.classname == "toy-intents"
    assert case.name.replace("\xa0", " ") == "nfr ≤ 0.5 % (example, certify)"


def test_a_failure_has_value_interval_and_limit() -> None:
    (case,) = cases(gate())

    (failure,) = case.result
    assert isinstance(failure, Failure)
    assert "13 of 1,000 examples broke, 26 were fixed" in failure.message
    assert "value: 0.013" in failure.text
    assert "limit: 0.005" in failure.text


@pytest.mark.parametrize(
    ("policy", "kind"), [("fail", Failure), ("warn", Skipped), ("pass", None)]
)
def test_inconclusive_follows_the_policy(policy: Inconclusive, kind: Any) -> None:
    (case,) = cases(
        gate("inconclusive", fresh_examples=1549, fresh_power=0.8), inconclusive=policy
    )

    if kind is None:
        assert case.is_passed
        assert "fresh sample of 1,549 examples" in case.system_out.replace("\xa0", " ")
    else:
        assert isinstance(case.result[0], kind)


def test_a_pass_is_passed() -> None:
    (case,) = cases(gate("pass", limit=0.05))

    assert case.is_passed


def test_without_gates_one_skipped_case_says_that_nothing_was_judged() -> None:
    (case,) = cases()

    assert isinstance(case.result[0], Skipped)
    assert "nothing was judged" in case.result[0].message


def test_a_coverage_problem_is_an_error() -> None:
    coverage = {"both": 990, "only_old": 10}

    *_, case = cases(gate("pass", limit=0.05), coverage=coverage)

    assert isinstance(case.result[0], Error)
    assert "10 examples answered by one side only" in case.result[0].message


def test_the_totals_agree_with_the_cases() -> None:
    gates = [gate(), gate("pass", limit=0.05), gate("inconclusive")]
    content = render_junit(
        read_results(made_run(ROWS, gates=gates, verdict="fail")), inconclusive="warn"
    )

    (suite,) = ET.fromstring(content)  # noqa: S314
    assert suite.attrib["tests"] == "3"
    assert suite.attrib["failures"] == "1"
    assert suite.attrib["skipped"] == "1"


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_in_every_field_stays_text(text: str) -> None:
    run = made_run(
        ROWS,
        gates=[gate(slice=text, reason=text, quantity=text, level="example")],
        verdict="fail",
        suite=text,
    )

    (suite,) = ET.fromstring(render_junit(read_results(run)))  # noqa: S314
    (case,) = suite.findall("testcase")
    assert [child.tag for child in case] == ["failure"]


ANYTHING = st.text(st.characters(exclude_categories=()), max_size=40)


@given(suite=ANYTHING, reason=ANYTHING, part=ANYTHING)
@settings(max_examples=200, deadline=None)
def test_it_parses_whatever_the_fields_say(suite: str, reason: str, part: str) -> None:
    row = Row(id="a", text="t", gold="x", old="x", new="y")
    run = made_run(
        [row], gates=[gate(slice=part, reason=reason)], verdict="fail", suite=suite
    )

    assert ET.fromstring(render_junit(read_results(run))).tag == "testsuites"  # noqa: S314


def test_the_suite_tells_what_broke_and_the_errors_of_both_sides() -> None:
    run = made_run(ROWS, gates=[gate()], verdict="fail")

    (suite,) = JUnitXml.fromstring(render_junit(read_results(run)))

    found = suite.properties()  # type: ignore[no-untyped-call]
    assert {one.name: one.value for one in found} == {
        "broken": "13",
        "fixed": "26",
        "units": "1000",
        "errors_old": "0",
        "errors_new": "0",
    }
