"""What changed at each level: its cells, and every statistic made from them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from types import MappingProxyType

from compat_eval.comparison.result import LOST, WON, UnitCounts
from compat_eval.core.grades import Scale
from compat_eval.report import numbers, words
from compat_eval.report.cards import Deck
from compat_eval.report.drawing import place
from compat_eval.report.numbers import Number, decimals_of, number
from compat_eval.report.results import Results
from compat_eval.report.section import ReportedRun, Section
from compat_eval.statistics.families.scores import level_statistics

_ORDER = (
    "nfr",
    "pfr",
    "accuracy_old",
    "accuracy_new",
    "accuracy_change",
    "nfi",
    "relative_nfr",
    "btc",
    "bec",
    "agreement",
    "churn",
    "worse_rate",
    "better_rate",
    "score_old",
    "score_new",
    "score_change",
    "mean_regression",
    "mean_gain",
)
_CELLS = {
    "right": ("kept", "broken", "fixed", "missed"),
    "score": ("same", "worse", "better"),
    "agreement": ("same", "changed"),
}
_PATTERNS = {
    "changed": "hatch",
    "broken": "hatch",
    "worse": "hatch",
    "fixed": "dots",
    "better": "dots",
}
_WIDTH = 400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One of the cells of a level.

    Attributes:
        name: `kept`, `broken`, `fixed` or `missed`; or `same`, `worse` or `better`.
        symbol: One character for it.
        count: How many units.
        share: Their share of all units; few have an interval.
        x: Where it begins in a strip that shows the cells in proportion.
        width: How wide it is there.
        pattern: What it is filled with; empty for nothing.
        link: Address of the examples with such units; empty where none are listed.

    """

    name: str
    symbol: str
    count: str
    share: Number
    x: str
    width: str
    pattern: str
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _QuantityRow:
    """One quantity with its meaning."""

    name: str
    title: str
    description: str
    number: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelView:
    """One level, counted.

    Attributes:
        name: Name of the level.
        title: What people call it.
        units: How many units, with their noun.
        by: What tells its cells apart.
        heading: The same, with the level where it is not simply examples.
        counted: What the n of an interval counts: units, or clusters of them.
        cells: By name.
        margins: How many units each side has right and wrong, by `old_right` and so
            on; empty where units have scores.
        lost: The cell of units that broke or got worse.
        won: The cell of units that were fixed or got better.
        quantities: Every estimate.
        sentences: What the counts say.
        notes: What must be known to read the numbers.

    """

    name: str
    title: str
    units: str
    by: str
    heading: str
    counted: str
    cells: Mapping[str, Cell]
    margins: Mapping[str, str]
    lost: Cell
    won: Cell
    quantities: tuple[_QuantityRow, ...]
    sentences: tuple[str, ...]
    notes: tuple[str, ...]


def levels(results: Results) -> tuple[LevelView, ...]:
    """Return the levels of a task, the most important first."""
    return tuple(map(_level, results.task.update.levels.values()))


def _level(found: UnitCounts) -> LevelView:
    level, cells = found.level, _cells(found)
    say = _SENTENCES[level.scale]
    return LevelView(
        name=level.name,
        title=words.level_title(level),
        units=words.units(found.units, level),
        by=_BY[level.scale],
        heading=words.heading(found),
        counted=words.evidence_noun(found, level),
        cells=cells,
        margins=_margins(found.counts) if level.scale == "right" else {},
        lost=cells[LOST[level.scale]],
        won=cells[WON[level.scale]],
        quantities=_quantities(found),
        sentences=say(found),
        notes=_notes(found),
    )


def _margins(counts: Mapping[str, int]) -> Mapping[str, str]:
    margins = {
        "old_right": ("kept", "broken"),
        "old_wrong": ("fixed", "missed"),
        "new_right": ("kept", "fixed"),
        "new_wrong": ("broken", "missed"),
    }
    return {
        name: numbers.count(counts[one] + counts[other])
        for name, (one, other) in margins.items()
    }


def _cells(found: UnitCounts) -> Mapping[str, Cell]:
    names = _CELLS[found.level.scale]
    shares = [found.share(name) for name in names]
    decimals = decimals_of(shares, "share")
    ends = accumulate((found.counts[name] for name in names), initial=0)
    scale = _WIDTH / max(found.units, 1)
    return {
        name: Cell(
            name=name,
            symbol=words.CELL_SYMBOLS[name],
            count=numbers.count(found.counts[name]),
            share=number(share, "share", decimals=decimals),
            x=place(scale * start),
            width=place(scale * (end - start)),
            pattern=_PATTERNS.get(name, ""),
        )
        for name, share, (start, end) in zip(names, shares, pairwise(ends), strict=True)
    }


def _quantities(found: UnitCounts) -> tuple[_QuantityRow, ...]:
    statistics, known = found.statistics, level_statistics(found.level)
    names = [name for name in _ORDER if name in statistics]
    names += sorted(set(statistics) - set(_ORDER))
    units = {name: words.unit(name, found.level) for name in names}
    shares = [statistics[name] for name in names if units[name] != "plain"]
    decimals = decimals_of(shares, "share")
    return tuple(
        _QuantityRow(
            name=name,
            title=known[name].title if name in known else words.title(name),
            description=known[name].description if name in known else "",
            number=number(
                statistics[name],
                units[name],
                decimals=None if units[name] == "plain" else decimals,
            ),
        )
        for name in names
    )


def _of_right(found: UnitCounts) -> tuple[str, ...]:
    margins = _margins(found.counts)
    old_right = words.units(found.counts["kept"] + found.lost, found.level)
    broken, fixed = numbers.count(found.lost), numbers.count(found.won)
    return (
        f"Of the {old_right} that old has right, new gets {broken} wrong.",
        f"Of the {margins['old_wrong']} that old has wrong, new gets {fixed} right.",
        f"Of the {margins['new_wrong']} that new gets wrong, {broken} used to work.",
    )


def _of_scores(found: UnitCounts) -> tuple[str, ...]:
    level, unit = found.level, f" {found.level.score_unit}".rstrip()
    by = f" by more than {level.epsilon:g}{unit}" if level.epsilon else ""
    units = words.units(found.units, level)
    lost, won = numbers.count(found.lost), numbers.count(found.won)
    return (
        f"Of {units}, {lost} got worse{by} and {won} got better.",
        f"{level.better.capitalize()} scores are better.",
    )


_BY: Mapping[Scale, str] = MappingProxyType(
    {
        "right": "who has them right",
        "score": "how their scores changed",
        "agreement": "whether their answers stayed the same",
    }
)
"""By what the cells of a level are told apart."""


def _of_agreement(found: UnitCounts) -> tuple[str, ...]:
    units = words.units(found.units, found.level)
    return (
        f"Of {units}, {numbers.count(found.lost)} changed.",
        "There is no gold: whether a change is for better or worse is not known.",
    )


_SENTENCES: Mapping[Scale, Callable[[UnitCounts], tuple[str, ...]]] = MappingProxyType(
    {"right": _of_right, "score": _of_scores, "agreement": _of_agreement}
)


def _notes(counted: UnitCounts) -> tuple[str, ...]:
    found = []
    clusters, units = counted.clusters, counted.level.units
    if not math.isnan(counted.mcnemar_p):
        p = numbers.p_value(counted.mcnemar_p)
        shown = p if p.startswith("<") else f"= {p}"
        test = (
            f"McNemar's, mid-p, on independent {units}"
            if clusters is None
            else f"by clusters; McNemar's would take {units} for independent"
        )
        alike = {
            "right": "old and new are equally accurate",
            "score": f"as many {units} get worse as get better",
            "agreement": "",
        }[counted.level.scale]
        found.append(f"Two-sided test that {alike}: p {shown} ({test}).")
    if clusters is not None:
        found.append(
            f"The {units} form {numbers.count(clusters)} clusters, and intervals "
            "take that into account: their n is of clusters."
        )
    if _weighted(counted):
        found.append(
            "Counts are of units; shares are weighted, so the two differ on purpose."
        )
    return tuple(found)


def _weighted(counted: UnitCounts) -> bool:
    if not counted.units:
        return False
    share = counted.lost / counted.units
    return abs(counted.lost_rate.value - share) > 1e-9  # noqa: PLR2004


def _view(reported: ReportedRun) -> tuple[LevelView, ...]:
    deck = reported.deck
    return tuple(
        replace(level, cells=_linked(level, deck)) for level in levels(reported.results)
    )


def _linked(level: LevelView, deck: Deck) -> Mapping[str, Cell]:
    return {
        name: replace(
            cell, link="" if cell.count == "0" else deck.link(name, level=level.name)
        )
        for name, cell in level.cells.items()
    }


SECTION = Section(title="What changed", view=_view, template="counts.html.j2")
