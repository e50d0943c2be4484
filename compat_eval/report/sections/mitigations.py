"""What mitigations would change: NEW untreated, and under each of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from compat_eval.comparison.result import UnitCounts
from compat_eval.core.estimate import Estimate
from compat_eval.report import numbers, words
from compat_eval.report.drawing import Axis, Tick, around, ends, place
from compat_eval.report.numbers import decimals_of
from compat_eval.report.results import MitigationResult, Results
from compat_eval.report.section import ReportedRun, Section
from compat_eval.report.sections.versions import UpdateRow
from compat_eval.report.sentences import (
    chosen_words,
    cost_words,
    mitigation_sentence,
    setting_value,
)
from compat_eval.report.text import shortened

_NAME = 60
_WIDTH, _HEIGHT = 420.0, 260.0
_UNTREATED = "no mitigation"
_KEPT = "keep OLD"
_COLUMNS = {
    "accuracy_new": "Accuracy",
    "nfr": "Negative flip rate",
    "nfi": "Negative flip impact",
    "pfr": "Positive flip rate",
}
_CHANGES = {"accuracy_new": "accuracy_change", "nfi": "nfi_change"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _MitigatedLevel:
    """One level under all mitigations; the first row is untreated NEW."""

    heading: str
    called: words.CellWords
    columns: Mapping[str, str]
    rows: tuple[UpdateRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceRow:
    """One setting on dev, with its shares by the name of the statistic."""

    value: str
    chosen: bool
    shares: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChoiceTable:
    """What dev chose, and from what."""

    name: str
    sentence: str
    rows: tuple[ChoiceRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _FrontierPoint:
    """One mitigation, with its intervals as a cross.

    Attributes:
        mark: Its number in the table.
        name: Of the mitigation.
        x: Position of how much NFI it cuts.
        y: Position of the change in accuracy, from above.
        low_x: Left end of the interval; likewise the others.
        high_x: See `low_x`.
        low_y: See `low_x`.
        high_y: See `low_x`.

    """

    mark: str
    name: str
    x: str
    y: str
    low_x: str
    high_x: str
    low_y: str
    high_y: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """The drawing; untreated NEW is where both dashed lines cross.

    Attributes:
        points: The mitigations whose numbers exist.
        zero_x: Position of no cut.
        zero_y: Position of no change in accuracy.
        across: Marks of the horizontal axis.
        upwards: Marks of the vertical axis; their `x` is a height from above.
        text: The drawing in words.

    """

    points: tuple[_FrontierPoint, ...]
    zero_x: str
    zero_y: str
    across: tuple[Tick, ...]
    upwards: tuple[Tick, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mitigations:
    """All that is said of mitigations.

    Attributes:
        levels: The tables, the most important level first.
        sentences: What each does, in words.
        frontier: Accuracy against NFI at the main level; `None` where undefined.
        choices: Settings that dev chose.

    """

    levels: tuple[_MitigatedLevel, ...]
    sentences: tuple[str, ...]
    frontier: Frontier | None
    choices: tuple[_ChoiceTable, ...]


def mitigations(results: Results) -> Mitigations | None:
    """Return what is said of mitigations; `None` where none was tried."""
    update, tried = results.task.update, results.task.mitigations
    if not tried:
        return None
    return Mitigations(
        levels=tuple(_level(results, found) for found in update.levels.values()),
        sentences=tuple(mitigation_sentence(one, update) for one in tried),
        frontier=frontier(tried, update.main.level.name),
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


def _level(results: Results, untreated: UnitCounts) -> _MitigatedLevel:
    level, tried = untreated.level, results.task.mitigations
    counted = [untreated, *(one.update.levels[level.name] for one in tried)]
    columns = {k: v for k, v in _COLUMNS.items() if k in untreated.statistics}
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
        row = UpdateRow.of(name, one, columns, changes, decimals=decimals)
        rows.append(replace(row, mark=str(mark), cost=cost))
    return _MitigatedLevel(
        heading=words.heading(untreated),
        called=words.CELL_WORDS[level.scale],
        columns=columns,
        rows=tuple(rows),
    )


def choice_rows(choice: Mapping[str, Any], level: str) -> tuple[ChoiceRow, ...]:
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
        ChoiceRow(
            value=said,
            chosen=values == choice["values"],
            shares={name: numbers.percent(one) for name, one in found[level].items()},
        )
        for said, values, found in points
    )


def frontier(tried: Sequence[MitigationResult], level: str) -> Frontier | None:
    """Return the drawing of a level; `None` where no mitigation has both numbers."""
    known = [
        (
            str(mark),
            one,
            _cut(changes["nfi_change"]),
            _three(changes["accuracy_change"]),
        )
        for mark, one in enumerate(tried, start=1)
        for changes in (one.changes(level),)
        if not any(
            math.isnan(changes[n].value) for n in ("nfi_change", "accuracy_change")
        )
    ]
    if not known:
        return None
    across = around([0.0, *(end for *_, cut, _ in known for end in cut)], _WIDTH)
    upwards = around([0.0, *(end for *_, three in known for end in three)], _HEIGHT)
    return Frontier(
        points=tuple(
            _point((mark, one.name), (across, upwards), cut, three)
            for mark, one, cut, three in known
        ),
        zero_x=across.at(0.0),
        zero_y=_from_above(upwards, 0.0),
        across=across.ticks("points"),
        upwards=tuple(
            Tick(place(_HEIGHT - float(tick.x)), tick.text, "end")
            for tick in upwards.ticks("points")
        ),
        text=(
            "Change in accuracy against the cut in negative flip impact, both compared "
            "with NEW as it is; the table has the numbers."
        ),
    )


def _three(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, *ends(estimate)


def _cut(estimate: Estimate) -> tuple[float, float, float]:
    value, low, high = _three(estimate)
    return -value, -high, -low


def _point(
    called: tuple[str, str],
    axes: tuple[Axis, Axis],
    cut: tuple[float, float, float],
    change: tuple[float, float, float],
) -> _FrontierPoint:
    across, upwards = axes
    return _FrontierPoint(
        mark=called[0],
        name=shortened(called[1], _NAME),
        x=across.at(cut[0]),
        low_x=across.at(cut[1]),
        high_x=across.at(cut[2]),
        y=_from_above(upwards, change[0]),
        low_y=_from_above(upwards, change[1]),
        high_y=_from_above(upwards, change[2]),
    )


def _from_above(axis: Axis, value: float) -> str:
    return place(_HEIGHT - float(axis.at(value)))


def _view(reported: ReportedRun) -> Mitigations | None:
    return mitigations(reported.results)


SECTION = Section(title="Mitigations", view=_view, template="mitigations.html.j2")
