"""Slices: where it broke, drawn on one scale, and where nobody had thought to look."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compat_eval.core.estimate import Estimate
from compat_eval.core.grades import Level
from compat_eval.report import numbers, words
from compat_eval.report.drawing import Axis, Bar, Tick, bar, ends
from compat_eval.report.numbers import Number, Unit, decimals_of, number
from compat_eval.report.results import TaskResult, UnitCounts, UpdateResult
from compat_eval.report.section import ReportedRun, Section
from compat_eval.report.text import shortened

_WIDTH = 190.0
_MOST_ROWS = 300
_NAME_LENGTH = 80
_STRONG = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceRow:
    """One slice at one level.

    Attributes:
        name: Name of the slice, clipped.
        key: Number of the slice among the choices of cards; empty if it has none.
        level: The level, empty where it is the main one.
        units: How many units, with a plain number to sort by.
        units_sort: See `units`.
        broken: How many broke.
        fixed: How many were fixed.
        nfr: The negative flip rate.
        change: The change in accuracy.
        bar: The negative flip rate drawn; `None` where it is undefined.

    """

    name: str
    key: str
    level: str
    units: str
    units_sort: str
    broken: str
    fixed: str
    nfr: Number
    change: Number
    bar: Bar | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """Slices on one axis of negative flip rates.

    Attributes:
        rows: Slices, the worst first.
        ticks: Marks of the axis.
        counted: What is counted, such as `Examples`.
        called: Headings of its columns.
        overall: Position of the rate over all examples; `None` if undefined.
        overall_text: That rate in words.
        left_out: How many slices are not listed.
        weakest: One sentence about the worst slice; empty where none broke.

    """

    rows: tuple[SliceRow, ...]
    ticks: tuple[Tick, ...]
    counted: str
    called: words.CellWords
    overall: str | None
    overall_text: str
    left_out: str
    weakest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRow:
    """One part of the examples that the search found."""

    name: str
    units: str
    broken: str
    rate: str
    rest: str
    p: str
    q: str
    strong: bool


def forest(update: UpdateResult, keys: Mapping[str, str]) -> Forest | None:
    """Return the slices, or `None` where there are none.

    Args:
        update: What the update changed.
        keys: Name of a slice to its number among the choices of cards.

    """
    ranked = worst_first(update.slices)
    if not ranked:
        return None
    whole = update.main.lost_rate
    axis = _axis([one.lost_rate for one in ranked], whole)
    rows = tuple(_rows(ranked[:_MOST_ROWS], axis, update.main.level, keys))
    rest = len(ranked) - len(rows)
    return Forest(
        rows=rows,
        ticks=axis.ticks("share"),
        counted=counted(update.slices),
        called=words.CELL_WORDS[update.main.level.scale],
        overall=None if math.isnan(whole.value) else axis.at(whole.value),
        overall_text=number(whole, "share").full,
        left_out=numbers.counted(rest, "more slice") if rest else "",
        weakest=_weakest(ranked[0]),
    )


def counted(slices: Sequence[UnitCounts]) -> str:
    """Return what slices count, as a heading: `Units` where levels are mixed."""
    levels = {one.level.name: one.level.units for one in slices}
    return (next(iter(levels.values())) if len(levels) == 1 else "units").capitalize()


def rate_decimals(some: Sequence[UnitCounts]) -> int:
    """Return with how many decimals to write the rates of several slices or values."""
    return decimals_of((one.lost_rate for one in some), "share", most=2)


def worst_first(slices: Sequence[UnitCounts]) -> list[UnitCounts]:
    """Order slices by how surely they broke: by the interval's lower end."""

    def key(one: UnitCounts) -> tuple[float, float, str, str]:
        nfr = one.lost_rate
        low, value = (-1.0 if math.isnan(v) else v for v in (nfr.low, nfr.value))
        return (-low, -value, one.level.name, one.part)

    return sorted(slices, key=key)


def search(task: TaskResult) -> tuple[SearchRow, ...]:
    """Return what the slice search found, the most surprising first."""
    return tuple(_found(one) for one in task.analyses.get("slice_search") or ())


def _found(one: Mapping[str, Any]) -> SearchRow:
    return SearchRow(
        name=shortened(one["slice"], _NAME_LENGTH),
        units=numbers.count(one["units"]),
        broken=numbers.count(one["broken"]),
        rate=numbers.percent(one["rate"], 2),
        rest=numbers.percent(one["rest_rate"], 2),
        p=numbers.p_value(one["p_value"]),
        q=numbers.p_value(one["q_value"]),
        strong=one["q_value"] is not None and one["q_value"] <= _STRONG,
    )


def _rows(
    slices: Sequence[UnitCounts], axis: Axis, main: Level, keys: Mapping[str, str]
) -> Iterator[SliceRow]:
    of_nfr = rate_decimals(slices)
    unit: Unit = "points" if main.scale == "right" else "plain"
    of_change = decimals_of((one.change for one in slices), unit, most=2)
    for one in slices:
        rate = one.lost_rate
        yield SliceRow(
            name=shortened(one.part, _NAME_LENGTH),
            key=keys.get(one.part, ""),
            level="" if one.level == main else words.level_title(one.level),
            units=numbers.count(one.units),
            units_sort=str(one.units),
            broken=numbers.count(one.lost),
            fixed=numbers.count(one.won),
            nfr=number(rate, "share", decimals=of_nfr),
            change=number(one.change, unit, decimals=of_change),
            bar=None if math.isnan(rate.value) else bar(axis, rate),
        )


def _axis(rates: Sequence[Estimate], whole: Estimate) -> Axis:
    """Return an axis from 0 with every rate, but not every wide interval whole."""
    known = [one for one in (*rates, whole) if not math.isnan(one.value)]
    highest = max((ends(one)[1] for one in known), default=0.0)
    largest = max((one.value for one in known), default=0.0)
    enough = max(1.5 * largest, 3 * whole.high if whole in known else 0.0)
    return Axis(0.0, max(min(highest, enough), 0.001), _WIDTH)


def _weakest(one: UnitCounts) -> str:
    if not one.lost:
        return ""
    of = words.units(one.units, one.level)
    rate = number(one.lost_rate, "share")
    name = shortened(one.part, _NAME_LENGTH)
    span = rate.interval or "no interval"
    lost = f"{name}: {numbers.count(one.lost)} of {of}"
    if one.level.scale == "score":
        return f"{lost} got worse ({rate.text}, {span})."
    return f"{lost} broke ({rate.text}, {span}), {words.were_fixed(one.won)}."


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicesView:
    """The slices that were asked for, and those that the search found."""

    forest: Forest | None
    search: tuple[SearchRow, ...]


def _view(reported: ReportedRun) -> SlicesView | None:
    task = reported.results.task
    drawn, found = forest(task.update, reported.deck.slice_keys), search(task)
    return SlicesView(forest=drawn, search=found) if drawn or found else None


SECTION = Section(title="Slices", view=_view, template="slices.html.j2")
