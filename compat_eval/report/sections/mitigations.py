"""What mitigations would change: NEW untreated, and under each of them."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from compat_eval.comparison.panel import NEW, OLD
from compat_eval.comparison.result import UnitCounts
from compat_eval.report import numbers, words
from compat_eval.report.numbers import decimals_of, number
from compat_eval.report.results import Results
from compat_eval.report.section import ReportedRun, Section
from compat_eval.report.sections.frontier import relations
from compat_eval.report.sections.versions import UpdateRow
from compat_eval.report.sentences import (
    chosen_words,
    cost_words,
    effect_words,
    mitigation_sentence,
    setting_value,
)
from compat_eval.report.text import shortened

_NAME = 60
_UNTREATED = "no mitigation"
_KEPT = "keep OLD"
_COLUMNS: Mapping[str, tuple[str, numbers.Unit]] = MappingProxyType(
    {
        "accuracy_new": ("Accuracy", "share"),
        "nfr": ("Negative flip rate", "share"),
        "pfr": ("Positive flip rate", "share"),
        "accuracy_change": ("Net gain over OLD", "points"),
        "nfi": ("Negative flip impact", "share"),
    }
)
SHORT_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "accuracy_new": "Accuracy",
        "nfr": "NFR",
        "pfr": "PFR",
        "accuracy_change": "Net gain",
        "nfi": "NFI",
    }
)
"""What the columns are called where there is little room."""

_CHANGES = {"accuracy_new": "accuracy_change", "nfi": "nfi_change"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MitigatedLevel:
    """One level under all mitigations; OLD kept and untreated NEW come first.

    Columns are by statistic: what each is called in short, and in full.
    """

    heading: str
    called: words.CellWords
    columns: Mapping[str, tuple[str, str]]
    rows: tuple[UpdateRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChoiceRow:
    """One setting on dev, with its shares by the name of the statistic."""

    value: str
    chosen: bool
    shares: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChoiceTable:
    """What dev chose, and from what."""

    name: str
    sentence: str
    rows: tuple[_ChoiceRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mitigations:
    """All that is said of mitigations.

    Attributes:
        levels: The tables, the most important level first; none of levels with scores.
        sentences: What each does, in words.
        choices: Settings that dev chose.
        kept: Whether they can be saved as models, and not bridges to an index.

    """

    levels: tuple[MitigatedLevel, ...]
    sentences: tuple[str, ...]
    choices: tuple[_ChoiceTable, ...]
    kept: bool = True


def mitigations(results: Results) -> Mitigations | None:
    """Return what is said of mitigations; `None` where none was tried."""
    update, tried = results.task.update, results.task.mitigations
    if not tried:
        return None
    return Mitigations(
        levels=tuple(
            _level(results, found)
            for found in update.levels.values()
            if found.level.scale == "right"
        ),
        sentences=tuple(mitigation_sentence(one, update) for one in tried),
        kept=results.task.matrix is None,
        choices=tuple(
            _ChoiceTable(
                name=shortened(one.name, _NAME),
                sentence=chosen_words(one.chosen),
                rows=choice_rows(one.chosen, update.main.level.name),
            )
            for one in tried
            if one.chosen
        ),
    )


def _level(results: Results, untreated: UnitCounts) -> MitigatedLevel:
    level, tried = untreated.level, results.task.mitigations
    counted = [untreated, *(one.update.levels[level.name] for one in tried)]
    columns = {k: v for k, v in _COLUMNS.items() if k in untreated.statistics}
    units = {name: unit for name, (_, unit) in columns.items()}
    shares = (one.statistics[name] for one in counted for name in columns)
    decimals = decimals_of(shares, "share")
    times = results.run.manifest["roles"]
    costs = [cost_words(one.cost, times.get(one.update.new) or {}) for one in tried]
    names = [_UNTREATED, *(shortened(one.name, _NAME) for one in tried)]
    moves = [{}, *(one.changes(level.name) for one in tried)]
    rows = []
    for mark, (name, one, moved, cost) in enumerate(
        zip(names, counted, moves, ["–", *costs], strict=True)
    ):
        changes = {c: moved[key] for c, key in _CHANGES.items() if key in moved}
        row = UpdateRow.of(name, one, units, changes, decimals=decimals)
        rows.append(replace(row, mark=str(mark) if mark else NEW.upper(), cost=cost))
    if level.name == results.task.update.main.level.name:
        rows[1:] = _with_effects(rows[1:], results)
    kept = _kept(untreated, units, decimals)
    return MitigatedLevel(
        heading=words.heading(untreated),
        called=words.CELL_WORDS[level.scale],
        columns={n: (SHORT_NAMES[n], title) for n, (title, _) in columns.items()},
        rows=tuple(rows) if kept is None else (kept, *rows),
    )


def _with_effects(rows: Iterable[UpdateRow], results: Results) -> list[UpdateRow]:
    """Return the rows of mitigations with what each does, and what it is to NEW."""
    stands = relations(results)
    return [
        replace(
            row,
            effect=effect_words(one.effect),
            stands=stands.get(one.update.new, ""),
        )
        for row, one in zip(rows, results.task.mitigations, strict=True)
    ]


def _kept(
    untreated: UnitCounts, units: Mapping[str, numbers.Unit], decimals: int
) -> UpdateRow | None:
    """Return the row of OLD in NEW's place: nothing breaks, and nothing is gained."""
    before = untreated.statistics.get("accuracy_old")
    if before is None:
        return None
    nothing = replace(before, value=0.0, low=math.nan, high=math.nan, reason=None)
    return UpdateRow(
        name=_KEPT,
        lost="0",
        won="0",
        numbers={
            name: number(
                before if name == "accuracy_new" else nothing, unit, decimals=decimals
            )
            for name, unit in units.items()
        },
        changes={},
        mark=OLD.upper(),
        cost="–",
    )


def choice_rows(choice: Mapping[str, Any], level: str) -> tuple[_ChoiceRow, ...]:
    """Return OLD kept, untreated NEW, and every setting on dev at a level."""
    points: list[tuple[str, Mapping[str, Any], Mapping[str, Any]]]
    points = [(_KEPT, {}, choice["keep_old"]), (_UNTREATED, {}, choice["untreated"])]
    points += [
        (
            ", ".join(map(setting_value, one["values"].values())),
            one["values"],
            one["levels"],
        )
        for one in choice["tried"]
    ]
    return tuple(
        _ChoiceRow(
            value=said,
            chosen=values == choice["values"],
            shares={name: numbers.percent(one) for name, one in found[level].items()},
        )
        for said, values, found in points
    )


def _view(reported: ReportedRun) -> Mitigations | None:
    return mitigations(reported.results)


SECTION = Section(title="Mitigations", view=_view, template="mitigations.html.j2")
