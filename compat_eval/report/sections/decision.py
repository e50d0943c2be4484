"""What to do about an index; what draws it is loaded where there is a decision."""

from typing import TYPE_CHECKING

from compat_eval.report.results import Results
from compat_eval.report.section import ReportedRun, Section

if TYPE_CHECKING:
    from compat_eval.report.upgrade_decision import DecisionView


def said(results: Results) -> str:
    """Return the decision, why and at what cost; empty where nothing is decided."""
    if results.task.decision is None:
        return ""
    from compat_eval.report.upgrade_decision import decision_said  # noqa: PLC0415

    return decision_said(results.task.decision)


def _view(reported: ReportedRun) -> "DecisionView | None":
    found = reported.results.task.decision
    if found is None:
        return None
    from compat_eval.report.upgrade_decision import decision_view  # noqa: PLC0415

    return decision_view(found)


SECTION = Section(
    title="Keep the index?", view=_view, template="decision.html.j2", framed=False
)
