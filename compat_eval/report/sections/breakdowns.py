"""What broke by relation, part of speech, label or length, and what broke together."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compat_eval.core.estimate import Estimate
from compat_eval.report import numbers, words
from compat_eval.report.drawing import Axis, Bar, Tick, bar, ends, place
from compat_eval.report.numbers import Number, decimals_of, number
from compat_eval.report.results import Facet, TaskResult, UnitCounts, UpdateResult
from compat_eval.report.section import ReportedRun, Section
from compat_eval.report.sections.slices import rate_decimals
from compat_eval.report.text import shortened

_WIDTH = 160.0
_MOST_ROWS, _FEWER_ROWS = 15, 8
_NAME_LENGTH = 60
_WORST, _MOST_TICKS = 3, 4
_PAIR_WIDTH = 112.0
_MANY = 10
_TITLES = {"by_words": "Words apart", "by_edges": "Edges apart in gold"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetRow:
    """The units that have one value.

    Attributes:
        value: The value, such as `nsubj`.
        units: How many units.
        units_sort: See `units`.
        order: Where the value stands in its own order.
        old: Old's accuracy.
        new: New's accuracy.
        nfr: The negative flip rate.
        nfi: The negative flip impact.
        bar: The rate drawn; `None` where it is undefined.

    """

    value: str
    units: str
    units_sort: str
    order: str
    old: str
    new: str
    nfr: Number
    nfi: Number
    bar: Bar | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetTable:
    """All values of one facet at one level.

    Attributes:
        key: A name for addresses on the page.
        title: What the facet is called.
        level: What people call the level.
        counted: What is counted, such as `Words`.
        order: How the rows are sorted, in words.
        rows: The values.
        ticks: Marks of the axis of rates.
        overall: Position of the rate over all units; `None` if undefined.
        left_out: How many values are not listed, in words; empty for none.

    """

    key: str
    title: str
    level: str
    counted: str
    order: str
    rows: tuple[FacetRow, ...]
    ticks: tuple[Tick, ...]
    overall: str | None
    left_out: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdowns:
    """The tables that stand open, and by level those that are folded away.

    Attributes:
        tables: Of the level that matters most, and of the first level of parts.
        folded: The others, by level.
        worst: One sentence about the values that most surely broke; may be empty.

    """

    tables: tuple[FacetTable, ...]
    folded: Mapping[str, tuple[FacetTable, ...]]
    worst: str


def breakdowns(task: TaskResult) -> Breakdowns | None:
    """Return the breakdowns of a task; `None` where it has none."""
    update = task.update
    found = [one for one in update.facets if one.values]
    if not found:
        return None
    open_levels = {found[0].level.name}
    open_levels |= {one["level"] for one in (task.analyses.get("coflips") or ())[:1]}
    folded: dict[str, list[FacetTable]] = {}
    for one in found:
        if one.level.name not in open_levels:
            table = _table(one, update, _FEWER_ROWS)
            folded.setdefault(table.level, []).append(table)
    return Breakdowns(
        tables=tuple(
            _table(one, update, _MOST_ROWS)
            for one in found
            if one.level.name in open_levels
        ),
        folded={level: tuple(tables) for level, tables in folded.items()},
        worst=_sentence(list(worst_values(update))),
    )


def worst_values(update: UpdateResult) -> Iterator[tuple[str, UnitCounts]]:
    """Yield the three values that most surely broke, one a facet, with their facet.

    At the level that matters most; by the lower end of the interval of the negative
    flip rate.
    """
    worst = [
        (one.name, _ranked(one.values)[0])
        for one in update.facets
        if one.values and one.level == update.facets[0].level
    ]
    broken = [pair for pair in worst if pair[1].lost]
    yield from sorted(broken, key=lambda pair: _badness(pair[1]))[:_WORST]


def facet_title(facet: str) -> str:
    """Return what people call a facet.

    Examples:
        >>> facet_title("head_distance")
        'Head distance'

    """
    said = facet.replace("_", " ")
    return said[:1].upper() + said[1:]


def _table(facet: Facet, update: UpdateResult, most: int) -> FacetTable:
    level, values = facet.level, facet.values
    chosen = _ranked(values)[:most]
    listed = [v for v in values if v in chosen] if facet.ordered else chosen
    whole = update.levels[level.name].statistics["nfr"]
    axis = _axis([v.statistics["nfr"] for v in listed], whole)
    rest = len(values) - len(listed) + facet.left_out
    return FacetTable(
        key=shortened(f"{level.name}-{facet.name}", _NAME_LENGTH).replace(" ", "-"),
        title=facet_title(shortened(facet.name, _NAME_LENGTH)),
        level=words.level_title(level),
        counted=level.units.capitalize(),
        order="in their order" if facet.ordered else "the worst first",
        rows=tuple(_rows(listed, axis, values)),
        ticks=_ticks(axis),
        overall=None if math.isnan(whole.value) else axis.at(whole.value),
        left_out=numbers.counted(rest, "more value") if rest else "",
    )


def _rows(
    listed: Sequence[UnitCounts], axis: Axis, every: Sequence[UnitCounts]
) -> Iterator[FacetRow]:
    names = ("accuracy_old", "accuracy_new", "nfr", "nfi")
    decimals = {
        name: decimals_of((one.statistics[name] for one in listed), "share", most=2)
        for name in names
    }
    for value in listed:
        found = value.statistics
        old, new, nfr, nfi = (
            number(found[name], "share", decimals=decimals[name]) for name in names
        )
        yield FacetRow(
            value=shortened(value.part, _NAME_LENGTH),
            units=numbers.count(value.units),
            units_sort=str(value.units),
            order=str(every.index(value)),
            old=old.text,
            new=new.text,
            nfr=nfr,
            nfi=nfi,
            bar=bar(axis, found["nfr"]) if nfr.known else None,
        )


def _ranked(values: Sequence[UnitCounts]) -> list[UnitCounts]:
    return sorted(values, key=_badness)


def _badness(value: UnitCounts) -> tuple[float, float, str]:
    nfr = value.statistics["nfr"]
    low, rate = (0.0 if math.isnan(v) else v for v in (nfr.low, nfr.value))
    return -low, -rate, value.part


def _axis(rates: Sequence[Estimate], whole: Estimate) -> Axis:
    """Return an axis from 0 with every rate, but not every wide interval whole."""
    known = [one for one in (*rates, whole) if not math.isnan(one.value)]
    largest = max((one.value for one in known), default=0.0)
    highest = max((ends(one)[1] for one in known), default=0.0)
    return Axis(0.0, max(min(highest, 1.5 * largest), 0.001), _WIDTH)


def _ticks(axis: Axis) -> tuple[Tick, ...]:
    """Return so few marks that their texts stand apart on a short axis."""
    ticks = axis.ticks("share")
    return ticks[:: -(-len(ticks) // _MOST_TICKS)]


def _sentence(worst: Sequence[tuple[str, UnitCounts]]) -> str:
    decimals = rate_decimals([value for _, value in worst])
    said = (
        f"{facet_title(facet).lower()} {shortened(value.part, _NAME_LENGTH)}, "
        f"{number(value.statistics['nfr'], 'share', decimals=decimals).full}"
        for facet, value in worst
    )
    return "; ".join(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRow:
    """Pairs at one distance: how many, in how many both broke, and the share drawn."""

    distance: str
    pairs: str
    both: str
    share: str
    width: str
    few: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PairTable:
    """Pairs by one kind of distance; `independent` is a position on the bars."""

    key: str
    title: str
    rows: tuple[PairRow, ...]
    independent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CoFlips:
    """The pairs of one level.

    Attributes:
        level: What people call the level.
        said: What its units do, in a sentence.
        tables: By words and by edges.

    """

    level: str
    said: str
    tables: tuple[PairTable, ...]


def coflips(task: TaskResult) -> CoFlips | None:
    """Return the pairs of the first level that has any; `None` for none."""
    every = task.analyses.get("coflips") or ()
    found = next((one for one in every if one["pairs"]), None)
    if found is None:
        return None
    level = task.update.levels[found["level"]].level
    said = (
        f"Where one of two {level.units} of an example broke, both did in "
        f"{numbers.percent(found['both'] / found['pairs'])} of the pairs; it would be "
        f"{numbers.percent(found['independent'])} if {level.units} broke independently."
    )
    tables = tuple(
        _pair_table(name, found[name], found["independent"])
        for name in _TITLES
        if found[name]
    )
    return CoFlips(level=words.level_title(level), said=said, tables=tables)


def _pair_table(
    name: str, rows: Sequence[Mapping[str, Any]], independent: float
) -> PairTable:
    most = max([independent, *(row["share"] for row in rows), 0.01])
    return PairTable(
        key=name.replace("_", "-"),
        title=_TITLES[name],
        rows=tuple(
            PairRow(
                distance=str(row["distance"]),
                pairs=numbers.count(row["pairs"]),
                both=numbers.count(row["both"]),
                share=numbers.percent(row["share"]),
                width=place(_PAIR_WIDTH * row["share"] / most),
                few=row["pairs"] < _MANY,
            )
            for row in rows
        ),
        independent=place(_PAIR_WIDTH * independent / most),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakdownsView:
    """What broke by what it is, and whether units broke together."""

    breakdowns: Breakdowns
    coflips: CoFlips | None


def _view(reported: ReportedRun) -> BreakdownsView | None:
    task = reported.results.task
    found = breakdowns(task)
    if found is None:
        return None
    return BreakdownsView(breakdowns=found, coflips=coflips(task))


SECTION = Section(title="Breakdowns", view=_view, template="breakdowns.html.j2")
