"""The flipped examples, side by side."""

from compat_eval.report.cards import Deck
from compat_eval.report.section import ReportedRun, Section


def _view(reported: ReportedRun) -> Deck:
    return reported.deck


SECTION = Section(title="Examples", view=_view, template="flips.html.j2")
