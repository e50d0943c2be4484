"""How many examples each side answered, and what happened to the rest."""

from collections.abc import Mapping
from dataclasses import dataclass

from compat_eval.report import numbers
from compat_eval.report.results import Results
from compat_eval.report.section import ReportedRun, Section
from compat_eval.report.sentences import coverage_problem

_COVERAGE = {
    "both": "answered by both sides",
    "only_old": "missing on the new side",
    "only_new": "missing on the old side",
    "neither": "missing on both sides",
    "unasked": "answers to examples that nobody asked, left out",
    "errors_old": "the old model raised an error (counted as wrong)",
    "errors_new": "the new model raised an error (counted as wrong)",
    "mismatched": "the sides differed about the question",
    "dropped": "left out for that reason",
    "without_gold": "left out because they have no gold",
    "bounded": "missing on a side and taken at the worst",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _CoverageView:
    """What is wrong with the coverage, if anything, and every count."""

    problem: str
    facts: Mapping[str, str]


def coverage(results: Results) -> Mapping[str, str]:
    """Return how many examples each side answered, and what happened to the rest."""
    found = results.coverage
    named = {key: found[key] for key in (*_COVERAGE, *found) if key in found}
    return {
        _COVERAGE.get(key, key.replace("_", " ")): numbers.count(value)
        for key, value in named.items()
        if value or key == "both"
    }


def _view(reported: ReportedRun) -> _CoverageView:
    results = reported.results
    return _CoverageView(problem=coverage_problem(results), facts=coverage(results))


SECTION = Section(title="Coverage", view=_view, template="coverage.html.j2")
