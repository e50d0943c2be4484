"""The flipped examples, side by side."""

from dataclasses import dataclass

from compat_eval.report import words
from compat_eval.report.cards import Deck
from compat_eval.report.section import ReportedRun, Section


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipsView:
    """The cards, and the level whose flips they are; empty where there is only one."""

    deck: Deck
    level: str


def _view(reported: ReportedRun) -> FlipsView:
    update = reported.results.task.update
    several = len(update.levels) > 1
    level = words.level_title(update.main.level) if several else ""
    return FlipsView(deck=reported.deck, level=level)


SECTION = Section(title="Flipped examples", view=_view, template="flips.html.j2")
