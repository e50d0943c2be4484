"""A run's three reports: for reviewers, for CI, for pull requests."""

from collections.abc import Collection
from typing import get_args

from compat_eval.report.flips import Cell
from compat_eval.report.html import render_html
from compat_eval.report.junit import Inconclusive, render_junit
from compat_eval.report.markdown import render_markdown
from compat_eval.report.results import read_results
from compat_eval.report.section import ReportedRun
from compat_eval.runs.directory import Run
from compat_eval.runs.seal import REPORTS

FILES = REPORTS


def render(
    run: Run,
    *,
    inconclusive: Inconclusive = "fail",
    show: Collection[Cell] = (),
    full: bool = False,
) -> dict[str, bytes]:
    """Return each report by the name of its file.

    The same run gives the same bytes: nothing is read but the run.

    Args:
        run: A run directory, read.
        inconclusive: What an inconclusive gate counts as in `junit.xml`.
        show: Which examples the page lists; flips and a sample of others without it.
        full: Whether the page has texts whole whatever they take.

    Raises:
        DataError: The run does not hold exactly one task.
        UsageError: The run's predictions are not graded.

    """
    results = read_results(run)
    reported = ReportedRun.of(results, show=show, full=full)
    return {
        "report.html": render_html(reported),
        "junit.xml": render_junit(results, inconclusive=inconclusive),
        "summary.md": render_markdown(reported),
    }


def possible(run: Run) -> dict[str, tuple[bytes, ...]]:
    """Return every content that each report of a run may have, by name.

    The manifest does not hold what an inconclusive gate counts as in `junit.xml`.
    """
    made = {name: (content,) for name, content in render(run).items()}
    results = read_results(run)
    junit = (render_junit(results, inconclusive=i) for i in get_args(Inconclusive))
    return {**made, "junit.xml": tuple(junit)}
