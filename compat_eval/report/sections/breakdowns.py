"""What broke by relation, part of speech, label or length, and what broke together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compat_eval.comparison.result import Facet, UnitCounts, UpdateResult
from compat_eval.report import numbers, words
from compat_eval.report.cards import Deck
from compat_eval.report.drawing import place
from compat_eval.report.parts import PartTable, part_rows, part_table, worst_first
from compat_eval.report.results import TaskResult
from compat_eval.report.section import ReportedRun, Section
from compat_eval.report.text import shortened

_MOST_ROWS, _FEWER_ROWS = 15, 8
_NAME_LENGTH = 60
_WORST = 3
_PAIR_WIDTH = 112.0
_MANY = 10
_TITLES = {"by_words": "Words apart", "by_edges": "Edges apart in gold"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _FacetTable:
    """All values of one facet at one level.

    Attributes:
        key: A name for addresses on the page.
        title: What the facet is called.
        level: What people call the level.
        order: How the rows are sorted, in words.
        table: The values.
        left_out: How many values are not listed, in words; empty for none.

    """

    key: str
    title: str
    level: str
    order: str
    table: PartTable
    left_out: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _PairRow:
    """Pairs at one distance: how many, in how many both broke, and the share drawn."""

    distance: str
    pairs: str
    both: str
    share: str
    width: str
    few: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _PairTable:
    """Pairs by one kind of distance; `independent` is a position on the bars."""

    key: str
    title: str
    rows: tuple[_PairRow, ...]
    independent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _CoFlips:
    """The pairs of one level: what its units do, by words and by edges."""

    level: str
    said: str
    tables: tuple[_PairTable, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdowns:
    """The tables that stand open, and by level those that are folded away.

    Attributes:
        tables: Of the level that matters most, and of the first level of parts.
        folded: The others, by level.
        worst: One sentence about the values that most surely broke; may be empty.
        coflips: Whether units broke together; `None` where that is not known.

    """

    tables: tuple[_FacetTable, ...]
    folded: Mapping[str, tuple[_FacetTable, ...]]
    worst: str
    coflips: _CoFlips | None


def breakdowns(task: TaskResult, deck: Deck) -> Breakdowns | None:
    """Return the breakdowns of a task; `None` where it has none."""
    update = task.update
    found = [one for one in update.facets() if one.values]
    if not found:
        return None
    open_levels = {found[0].level.name}
    open_levels |= {one["level"] for one in (task.analyses.get("coflips") or ())[:1]}
    folded: dict[str, list[_FacetTable]] = {}
    for one in found:
        if one.level.name not in open_levels:
            table = _table(one, update, _FEWER_ROWS, deck)
            folded.setdefault(table.level, []).append(table)
    return Breakdowns(
        tables=tuple(
            _table(one, update, _MOST_ROWS, deck)
            for one in found
            if one.level.name in open_levels
        ),
        folded={level: tuple(tables) for level, tables in folded.items()},
        worst=_sentence(worst_values(update)),
        coflips=coflips(task),
    )


def worst_values(update: UpdateResult) -> dict[str, UnitCounts]:
    """Return the values that most surely broke by their facet: three, one a facet.

    At the level that matters most; by the lower end of the interval of the negative
    flip rate.
    """
    every = update.facets()
    worst = {
        one.name: worst_first(one.values)[0]
        for one in every
        if one.values and one.level == every[0].level
    }
    facets = {id(value): facet for facet, value in worst.items() if value.lost}
    ranked = worst_first(value for value in worst.values() if value.lost)[:_WORST]
    return {facets[id(value)]: value for value in ranked}


def facet_title(facet: str) -> str:
    """Return what people call a facet.

    Examples:
        >>> facet_title("head_distance")
        'Head distance'

    """
    said = facet.replace("_", " ")
    return said[:1].upper() + said[1:]


def _table(facet: Facet, update: UpdateResult, most: int, deck: Deck) -> _FacetTable:
    level, whole = facet.level, update.levels[facet.level.name]

    def link(cell: str, one: UnitCounts) -> str:
        main = level == update.main.level  # only its units are known on cards
        return deck.link(cell, part=f"{facet.name}={one.part}") if main else ""

    table = part_table(
        facet.values, whole, most=most, in_order=facet.ordered, link=link
    )
    rest = table.left_out + facet.left_out
    return _FacetTable(
        key=shortened(f"{level.name}-{facet.name}", _NAME_LENGTH).replace(" ", "-"),
        title=facet_title(shortened(facet.name, _NAME_LENGTH)),
        level=words.level_title(level),
        order="in their order" if facet.ordered else "the worst first",
        table=table,
        left_out=numbers.counted(rest, "more value") if rest else "",
    )


def _sentence(worst: Mapping[str, UnitCounts]) -> str:
    rows = zip(worst, part_rows(list(worst.values())), strict=True)
    return "; ".join(
        f"{facet_title(facet).lower()} {row.name}, {row.rate.full}"
        for facet, row in rows
    )


def coflips(task: TaskResult) -> _CoFlips | None:
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
    return _CoFlips(level=words.level_title(level), said=said, tables=tables)


def _pair_table(
    name: str, rows: Sequence[Mapping[str, Any]], independent: float
) -> _PairTable:
    most = max([independent, *(row["share"] for row in rows), 0.01])
    return _PairTable(
        key=name.replace("_", "-"),
        title=_TITLES[name],
        rows=tuple(
            _PairRow(
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


def _view(reported: ReportedRun) -> Breakdowns | None:
    return breakdowns(reported.results.task, reported.deck)


SECTION = Section(title="Breakdowns", view=_view, template="breakdowns.html.j2")
