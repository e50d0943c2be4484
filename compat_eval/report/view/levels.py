"""The two-by-two square of each level, and every quantity made from it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from compat_eval.core.estimate import Estimate
from compat_eval.core.grades import Level
from compat_eval.report import numbers, words
from compat_eval.report.numbers import Number, decimals_of, number
from compat_eval.report.results import Results, UnitCounts
from compat_eval.report.view.axis import place

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
    "churn",
)
_CELLS = ("kept", "broken", "fixed", "missed")
_PATTERNS = {"broken": "hatch", "fixed": "dots"}
_WIDTH = 400.0
_ESTIMATED = {"broken": "nfr", "fixed": "pfr"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One of the four cells.

    Attributes:
        name: `kept`, `broken`, `fixed` or `missed`.
        symbol: One character for it.
        count: How many units.
        share: Their share of all units.
        interval: Its interval where there is one.
        detail: Confidence, method and n of it.

    """

    name: str
    symbol: str
    count: str
    share: str
    interval: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One cell in a strip that shows all four in proportion."""

    name: str
    pattern: str
    x: str
    width: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityRow:
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
        counted: What the n of an interval counts: units, or clusters of them.
        cells: The four cells by name.
        strip: The four cells in proportion; empty without units.
        old_right: How many units old has right; likewise the other margins.
        old_wrong: See `old_right`.
        new_right: See `old_right`.
        new_wrong: See `old_right`.
        quantities: Every estimate.
        sentences: What the counts say.
        notes: What must be known to read the numbers.

    """

    name: str
    title: str
    units: str
    counted: str
    cells: Mapping[str, Cell]
    strip: tuple[Piece, ...]
    old_right: str
    old_wrong: str
    new_right: str
    new_wrong: str
    quantities: tuple[QuantityRow, ...]
    sentences: tuple[str, ...]
    notes: tuple[str, ...]


def levels(results: Results) -> tuple[LevelView, ...]:
    """Return the levels of a task, the most important first."""
    return tuple(map(_level, results.task.update.levels.values()))


def _level(found: UnitCounts) -> LevelView:
    counts, level = found.counts, found.level
    return LevelView(
        name=level.name,
        title=words.level_title(level),
        units=words.units(found.units, level),
        counted=words.evidence_noun(found, level),
        cells=_cells(found),
        strip=_strip(counts),
        old_right=numbers.count(counts["kept"] + counts["broken"]),
        old_wrong=numbers.count(counts["fixed"] + counts["missed"]),
        new_right=numbers.count(counts["kept"] + counts["fixed"]),
        new_wrong=numbers.count(counts["broken"] + counts["missed"]),
        quantities=_quantities(found.statistics),
        sentences=_sentences(level, counts),
        notes=_notes(found),
    )


def _strip(counts: Mapping[str, int]) -> tuple[Piece, ...]:
    units = sum(counts[name] for name in _CELLS)
    if not units:
        return ()
    ends = [0, *accumulate(counts[name] for name in _CELLS)]
    return tuple(
        Piece(
            name=name,
            pattern=_PATTERNS.get(name, ""),
            x=place(_WIDTH * start / units),
            width=place(_WIDTH * (end - start) / units),
        )
        for name, (start, end) in zip(_CELLS, pairwise(ends), strict=True)
    )


def _cells(counted: UnitCounts) -> Mapping[str, Cell]:
    shares = {cell: _share(cell, counted) for cell in words.CELL_SYMBOLS}
    decimals = decimals_of(shares.values(), "share")
    found = {
        name: number(one, "share", decimals=decimals) for name, one in shares.items()
    }
    return {
        name: Cell(
            name=name,
            symbol=words.CELL_SYMBOLS[name],
            count=numbers.count(counted.counts[name]),
            share=share.text,
            interval=share.interval,
            detail=share.detail if name in _ESTIMATED else "",
        )
        for name, share in found.items()
    }


def _share(cell: str, counted: UnitCounts) -> Estimate:
    """Return the estimate of a cell's share; of some nobody made more than a value."""
    if cell in _ESTIMATED:
        return counted.statistics[_ESTIMATED[cell]]
    units = counted.units
    return replace(
        counted.statistics["nfr"],
        value=counted.counts[cell] / units if units else math.nan,
        low=math.nan,
        high=math.nan,
        reason=None if units else "no units were compared",
    )


def _quantities(estimates: Mapping[str, Estimate]) -> tuple[QuantityRow, ...]:
    names = [name for name in _ORDER if name in estimates]
    names += sorted(set(estimates) - set(_ORDER))
    shares = [estimates[name] for name in names if words.unit(name) != "plain"]
    decimals = decimals_of(shares, "share")
    return tuple(
        QuantityRow(
            name=name,
            title=words.title(name),
            description=words.description(name),
            number=number(
                estimates[name],
                words.unit(name),
                decimals=None if words.unit(name) == "plain" else decimals,
            ),
        )
        for name in names
    )


def _sentences(level: Level, counts: Mapping[str, int]) -> tuple[str, ...]:
    broken, fixed = numbers.count(counts["broken"]), numbers.count(counts["fixed"])
    worked = numbers.count(counts["kept"] + counts["broken"])
    failed = numbers.count(counts["fixed"] + counts["missed"])
    wrong = numbers.count(counts["broken"] + counts["missed"])
    return (
        f"Of the {worked} {level.units} that old has right, new gets {broken} wrong.",
        f"Of the {failed} that old has wrong, new gets {fixed} right.",
        f"Of the {wrong} that new gets wrong, {broken} used to work.",
    )


def _notes(counted: UnitCounts) -> tuple[str, ...]:
    found = []
    clusters, units = counted.clusters, counted.level.units
    if not math.isnan(counted.equal_p):
        p = numbers.p_value(counted.equal_p)
        shown = p if p.startswith("<") else f"= {p}"
        test = (
            f"McNemar's, mid-p, on independent {units}"
            if clusters is None
            else f"by clusters; McNemar's would take {units} for independent"
        )
        found.append(
            f"Two-sided test that old and new are equally accurate: p {shown} ({test})."
        )
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
    value, units = counted.statistics["nfr"].value, counted.units
    if not units:
        return False
    return abs(value - counted.counts["broken"] / units) > 1e-9  # noqa: PLR2004
