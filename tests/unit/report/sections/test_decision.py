"""The section stands where there is a decision on an index, and nowhere else."""

from compat_eval.report.html import render_html
from compat_eval.report.results import read_results
from compat_eval.report.section import ReportedRun
from compat_eval.report.sections import decision
from tests.unit.report.made_run import Row, made_run


def test_without_a_decision_there_is_no_section() -> None:
    rows = [Row(id="a", text="a", gold="x", old="x", new="y")]
    results = read_results(made_run(rows))

    assert decision.said(results) == ""
    assert 'id="decision"' not in render_html(ReportedRun.of(results)).decode()
