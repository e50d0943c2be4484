"""Parts of the units, such as slices or the values of a facet, as rows of a table."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from compat_eval.comparison.result import LOST, WON, UnitCounts
from compat_eval.core.estimate import Estimate
from compat_eval.report import numbers, words
from compat_eval.report.drawing import Axis, Bar, Tick, bar, ends
from compat_eval.report.numbers import Number, Unit, decimals_of, number
from compat_eval.report.text import shortened

_WIDTH, _MOST_TICKS = 160.0, 4
_NAME_LENGTH = 80
PartLink: TypeAlias = Callable[[str, UnitCounts], str]


def _no_link(_: str, __: UnitCounts) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _PartRow:
    """One part at one level.

    Attributes:
        name: Name of the slice or value, clipped.
        lost_link: Address of the examples with what broke; empty for none.
        won_link: Likewise of what was fixed.
        level: What people call the level.
        units: How many units, with their plain number to sort by.
        units_sort: See `units`.
        order: Where it stands in its own order.
        lost: How many units broke or got worse.
        won: How many were fixed or got better.
        rate: The share of the former.
        accuracy_old: Empty where units have scores; likewise the next two.
        accuracy_new: See `accuracy_old`.
        impact: The negative flip impact; `None` where units have scores.
        change: The change in accuracy, or in the mean score.
        bar: The rate drawn; `None` where it is undefined.

    """

    name: str
    lost_link: str
    won_link: str
    level: str
    units: str
    units_sort: str
    order: str
    lost: str
    won: str
    rate: Number
    accuracy_old: str
    accuracy_new: str
    impact: Number | None
    change: Number
    bar: Bar | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartTable:
    """Parts on one axis of rates.

    Attributes:
        rows: The worst first, or in the order of the parts.
        ticks: Marks of the axis.
        counted: What is counted, such as `Examples`.
        called: Headings of the columns.
        overall: Position of the rate over all units; `None` if undefined.
        overall_text: That rate in words.
        left_out: How many parts are not listed.

    """

    rows: tuple[_PartRow, ...]
    ticks: tuple[Tick, ...]
    counted: str
    called: words.CellWords
    overall: str | None
    overall_text: str
    left_out: int


def worst_first(parts: Iterable[UnitCounts]) -> list[UnitCounts]:
    """Order parts by how surely they broke: by the interval's lower end.

    What only changed, and may be no worse, comes behind.
    """

    def key(one: UnitCounts) -> tuple[bool, float, float, str, str]:
        rate = one.lost_rate
        low, value = (-1.0 if math.isnan(v) else v for v in (rate.low, rate.value))
        unknown = one.level.scale == "agreement"
        return (unknown, -low, -value, one.level.name, one.part)

    return sorted(parts, key=key)


def part_table(
    parts: Sequence[UnitCounts],
    whole: UnitCounts,
    *,
    most: int,
    in_order: bool = False,
    link: PartLink = _no_link,
) -> PartTable:
    """Return the table of the worst parts.

    Args:
        parts: All of them.
        whole: What they are parts of.
        most: How many to list.
        in_order: Whether the listed ones stand in their own order.
        link: Gives the address of the examples of a cell and a part.

    """
    listed = worst_first(parts)[:most]
    if in_order:
        places = {id(one): at for at, one in enumerate(parts)}
        listed = sorted(listed, key=lambda one: places[id(one)])
    axis = _axis([one.lost_rate for one in listed], whole.lost_rate)
    ticks, overall = axis.ticks("share"), whole.lost_rate
    return PartTable(
        rows=tuple(part_rows(listed, axis=axis, every=parts, link=link)),
        ticks=ticks[:: -(-len(ticks) // _MOST_TICKS)],
        counted=counted_units(parts),
        called=words.CELL_WORDS[whole.level.scale],
        overall=None if math.isnan(overall.value) else axis.at(overall.value),
        overall_text=number(overall, "share").full,
        left_out=len(parts) - len(listed),
    )


def part_rows(
    parts: Sequence[UnitCounts],
    *,
    axis: Axis | None = None,
    every: Sequence[UnitCounts] = (),
    link: PartLink = _no_link,
) -> list[_PartRow]:
    """Return parts as rows in this order, every column with the same decimals.

    Args:
        parts: What to list.
        axis: Where to draw rates; nothing is drawn without it.
        every: All parts in their own order.
        link: Gives the address of the examples of a cell and a part.

    """
    places = {id(one): str(at) for at, one in enumerate(every)}
    decimals = decimals_of((one.lost_rate for one in parts), "share", most=2)
    rates = [number(one.lost_rate, "share", decimals=decimals) for one in parts]
    old, new, impacts = (
        _column(parts, name, "share")
        for name in ("accuracy_old", "accuracy_new", "nfi")
    )
    changes = _column(parts, "accuracy_change", "points")
    return [
        _PartRow(
            name=shortened(one.part, _NAME_LENGTH),
            lost_link=link(LOST[one.level.scale], one) if one.lost else "",
            won_link=link(WON[one.level.scale], one) if one.won else "",
            level=words.level_title(one.level),
            units=numbers.count(one.units),
            units_sort=str(one.units),
            order=places.get(id(one), ""),
            lost=numbers.count(one.lost),
            won=numbers.count(one.won),
            rate=rates[at],
            accuracy_old=_text(old[at]),
            accuracy_new=_text(new[at]),
            impact=impacts[at],
            change=changes[at] or number(one.change, "plain"),
            bar=bar(axis, one.lost_rate) if axis and rates[at].known else None,
        )
        for at, one in enumerate(parts)
    ]


def counted_units(parts: Iterable[UnitCounts]) -> str:
    """Return what parts count, as a heading: `Units` where levels are mixed."""
    levels = {one.level.name: one.level.units for one in parts}
    return (next(iter(levels.values())) if len(levels) == 1 else "units").capitalize()


def _column(parts: Sequence[UnitCounts], name: str, unit: Unit) -> list[Number | None]:
    """Write a statistic with the same decimals; nothing where a part has none."""
    found = [one.statistics.get(name) for one in parts]
    decimals = decimals_of(filter(None, found), unit, most=2)
    return [
        None if one is None else number(one, unit, decimals=decimals) for one in found
    ]


def _text(found: Number | None) -> str:
    return "" if found is None else found.text


def _axis(rates: Sequence[Estimate], whole: Estimate) -> Axis:
    """Return an axis from 0 with every rate, but not every wide interval whole."""
    known = [one for one in (*rates, whole) if not math.isnan(one.value)]
    highest = max((ends(one)[1] for one in known), default=0.0)
    largest = max((one.value for one in known), default=0.0)
    enough = max(1.5 * largest, 3 * whole.high if whole in known else 0.0)
    return Axis(0.0, max(min(highest, enough), 0.001), _WIDTH)
