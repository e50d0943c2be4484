"""The two-by-two square of each level, and every quantity made from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from compat_eval.report import numbers, words
from compat_eval.report.numbers import Number, number
from compat_eval.report.source import level_names, the_task
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
class Level:
    """One level, counted.

    Attributes:
        name: Name of the level.
        units: How many units, with their noun.
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
    units: str
    cells: Mapping[str, Cell]
    strip: tuple[Piece, ...]
    old_right: str
    old_wrong: str
    new_right: str
    new_wrong: str
    quantities: tuple[QuantityRow, ...]
    sentences: tuple[str, ...]
    notes: tuple[str, ...]


def levels(comparison: Mapping[str, Any]) -> tuple[Level, ...]:
    """Return the levels of a task, the most important first."""
    task = the_task(comparison)
    return tuple(_level(name, task["levels"][name]) for name in level_names(comparison))


def _level(name: str, summary: Mapping[str, Any]) -> Level:
    counts = summary["counts"]
    return Level(
        name=name,
        units=numbers.counted(
            summary["units"], words.noun(name, 1), words.noun(name, 2)
        ),
        cells={cell: _cell(cell, summary) for cell in words.CELL_SYMBOLS},
        strip=_strip(counts),
        old_right=numbers.count(counts["kept"] + counts["broken"]),
        old_wrong=numbers.count(counts["fixed"] + counts["missed"]),
        new_right=numbers.count(counts["kept"] + counts["fixed"]),
        new_wrong=numbers.count(counts["broken"] + counts["missed"]),
        quantities=_quantities(summary["estimates"]),
        sentences=_sentences(name, counts),
        notes=_notes(name, summary),
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


def _cell(name: str, summary: Mapping[str, Any]) -> Cell:
    count, units = summary["counts"][name], summary["units"]
    share = count / units if units else None
    interval = detail = ""
    if name in _ESTIMATED:
        estimated = number(summary["estimates"][_ESTIMATED[name]], "share")
        interval, detail = estimated.interval, estimated.detail
        text = estimated.text
    else:
        text = "undefined (no units were compared)"
        if share is not None:
            plain = {"value": share, "low": None, "high": None, "reason": None}
            rest = {"n": units, "method": "", "confidence": 0.95}
            text = number({**plain, **rest}, "share").text
    return Cell(
        name=name,
        symbol=words.CELL_SYMBOLS[name],
        count=numbers.count(count),
        share=text,
        interval=interval,
        detail=detail,
    )


def _quantities(estimates: Mapping[str, Any]) -> tuple[QuantityRow, ...]:
    names = [name for name in _ORDER if name in estimates]
    names += sorted(set(estimates) - set(_ORDER))
    return tuple(
        QuantityRow(
            name=name,
            title=words.title(name),
            description=words.description(name),
            number=number(estimates[name], words.unit(name)),
        )
        for name in names
    )


def _sentences(name: str, counts: Mapping[str, int]) -> tuple[str, ...]:
    broken, fixed = numbers.count(counts["broken"]), numbers.count(counts["fixed"])
    worked = numbers.count(counts["kept"] + counts["broken"])
    failed = numbers.count(counts["fixed"] + counts["missed"])
    wrong = numbers.count(counts["broken"] + counts["missed"])
    unit = words.noun(name, 2)
    return (
        f"Of the {worked} {unit} that old has right, new gets {broken} wrong.",
        f"Of the {failed} that old has wrong, new gets {fixed} right.",
        f"Of the {wrong} that new gets wrong, {broken} used to work.",
    )


def _notes(name: str, summary: Mapping[str, Any]) -> tuple[str, ...]:
    found = []
    if summary["mcnemar_p"] is not None:
        p = numbers.p_value(summary["mcnemar_p"])
        shown = p if p.startswith("<") else f"= {p}"
        found.append(
            f"McNemar's test that old and new are equally accurate: p {shown} "
            "(mid-p, two-sided)."
        )
    if summary["clusters"] is not None:
        clusters = numbers.count(summary["clusters"])
        found.append(
            f"The {words.noun(name, 2)} form {clusters} clusters, and intervals "
            "take that into account."
        )
    if (summary.get("design_effect") or 1) > 1:
        found.append(
            f"Design effect {summary['design_effect']:.2f}: intervals are as wide as "
            "those of so many times fewer independent units."
        )
    if _weighted(summary):
        found.append(
            "Counts are of units; shares are weighted, so the two differ on purpose."
        )
    return tuple(found)


def _weighted(summary: Mapping[str, Any]) -> bool:
    value, units = summary["estimates"]["nfr"]["value"], summary["units"]
    return bool(
        value is not None
        and units
        and abs(value - summary["counts"]["broken"] / units) > 1e-9  # noqa: PLR2004
    )
