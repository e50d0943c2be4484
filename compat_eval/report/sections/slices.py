"""Slices: where it broke, drawn on one scale, and where nobody had thought to look."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compat_eval.comparison.result import UnitCounts
from compat_eval.report import numbers, words
from compat_eval.report.cards import Deck
from compat_eval.report.numbers import number
from compat_eval.report.parts import PartLink, PartTable, part_table, worst_first
from compat_eval.report.results import TaskResult
from compat_eval.report.section import ReportedRun, Section
from compat_eval.report.text import shortened

_MOST_ROWS = 300
_NAME_LENGTH = 80
_STRONG = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class _SearchRow:
    """One part of the examples that the search found."""

    name: str
    units: str
    broken: str
    rate: str
    rest: str
    p: str
    q: str
    strong: bool


def search(task: TaskResult) -> tuple[_SearchRow, ...]:
    """Return what the slice search found, the most surprising first."""
    return tuple(_found(one) for one in task.analyses.get("slice_search") or ())


def _found(one: Mapping[str, Any]) -> _SearchRow:
    return _SearchRow(
        name=shortened(one["slice"], _NAME_LENGTH),
        units=numbers.count(one["units"]),
        broken=numbers.count(one["broken"]),
        rate=numbers.percent(one["rate"], 2),
        rest=numbers.percent(one["rest_rate"], 2),
        p=numbers.p_value(one["p_value"]),
        q=numbers.p_value(one["q_value"]),
        strong=one["q_value"] is not None and one["q_value"] <= _STRONG,
    )


def _weakest(one: UnitCounts, whole: UnitCounts) -> str:
    """Say which slice is worst; nothing where none is shown to be worse than all."""
    if not one.lost:
        return ""
    called = words.in_sentence(words.CELL_WORDS[one.level.scale].rate)
    if not one.lost_rate.low > whole.lost_rate.value:
        return f"In no slice is the {called} shown to be above that over all."
    of = words.units(one.units, one.level)
    rate = number(one.lost_rate, "share")
    name = shortened(one.part, _NAME_LENGTH)
    span = rate.interval or "no interval"
    said = f"Worst slice, by the lower end of its interval: {name}"
    lost = f"{said}: {numbers.count(one.lost)} of {of}"
    if one.level.scale == "score":
        return f"{lost} got worse ({rate.text}, {span})."
    if one.level.scale == "agreement":
        return f"{lost} changed ({rate.text}, {span})."
    return f"{lost} broke ({rate.text}, {span}), {words.were_fixed(one.won)}."


@dataclass(frozen=True, slots=True, kw_only=True)
class _SlicesView:
    """The slices that were asked for, and those that the search found.

    Attributes:
        table: The slices; `None` where there are none.
        weakest: A sentence about the worst slice; empty where none broke.
        level: What people call the main level.
        left_out: How many slices are not listed, in words.
        search: What the search found.

    """

    table: PartTable | None
    weakest: str
    level: str
    left_out: str
    search: tuple[_SearchRow, ...]


def _view(reported: ReportedRun) -> _SlicesView | None:
    task = reported.results.task
    found, slices, main = search(task), task.update.slices, task.update.main
    if not slices:
        return _slices_view(main, None, "", found) if found else None
    table = part_table(slices, main, most=_MOST_ROWS, link=_linked(reported.deck))
    worst = worst_first(slices)[0]
    weakest = _weakest(worst, task.update.levels[worst.level.name])
    return _slices_view(main, table, weakest, found)


def _linked(deck: Deck) -> PartLink:
    def link(cell: str, one: UnitCounts) -> str:
        return deck.link(cell, slice=one.part, level=one.level.name)

    return link


def _slices_view(
    main: UnitCounts,
    table: PartTable | None,
    weakest: str,
    found: tuple[_SearchRow, ...],
) -> _SlicesView:
    rest = 0 if table is None else table.left_out
    return _SlicesView(
        table=table,
        weakest=weakest,
        level=words.level_title(main.level),
        left_out=numbers.counted(rest, "more slice") if rest else "",
        search=found,
    )


SECTION = Section(title="Slices", view=_view, template="slices.html.j2")
