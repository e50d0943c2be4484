"""Where broken examples went: from the right label to the wrong one."""

from dataclasses import dataclass

from compat_eval.report import numbers
from compat_eval.report.cards import Deck
from compat_eval.report.choices import pair_value
from compat_eval.report.drawing import place
from compat_eval.report.results import TaskResult
from compat_eval.report.section import ReportedRun, Section
from compat_eval.report.text import shortened

_WIDTH = 160.0
_LENGTH = 60


@dataclass(frozen=True, slots=True)
class _FlowRow:
    """One way in which examples broke, and the address of those that did."""

    link: str
    gold: str
    old: str
    new: str
    count: str
    width: str


@dataclass(frozen=True, slots=True)
class _Flow:
    """The commonest ways, and how many examples went other ways.

    `old_differs` tells whether the old model ever was right in other words than
    the gold answer's.
    """

    rows: tuple[_FlowRow, ...]
    old_differs: bool
    rest: str


def flow(task: TaskResult, deck: Deck) -> _Flow | None:
    """Return the confusion flow, or `None` where nothing broke."""
    found = task.analyses.get("confusion_flow") or ()
    if not found:
        return None
    most = max(one["count"] for one in found)
    rest = task.analyses.get("confusion_flow_rest") or 0
    rows = tuple(
        _FlowRow(
            link=deck.link(
                "broken", pair=pair_value(one["old"] or "", one["new"] or "")
            ),
            gold=_label(one["gold"]),
            old=_label(one["old"]),
            new=_label(one["new"]),
            count=numbers.count(one["count"]),
            width=place(_WIDTH * one["count"] / most),
        )
        for one in found
    )
    old_differs = any(one["old"] != one["gold"] for one in found)
    return _Flow(
        rows,
        old_differs,
        numbers.counted(rest, "more broken example") if rest else "",
    )


def _label(label: object) -> str:
    return "no answer" if label is None else shortened(label, _LENGTH)


def _view(reported: ReportedRun) -> _Flow | None:
    if not reported.results.task.update.main.level.needs_gold:
        return None  # what was right before is not known
    return flow(reported.results.task, reported.deck)


SECTION = Section(title="How examples broke", view=_view, template="flow.html.j2")
