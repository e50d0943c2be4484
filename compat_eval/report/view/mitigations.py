"""What mitigations would change: NEW untreated, and under each of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compat_eval.core.estimate import Estimate
from compat_eval.report import numbers, words
from compat_eval.report.numbers import Number, decimals_of, number
from compat_eval.report.results import Results, TaskResult, UnitCounts
from compat_eval.report.text import shortened
from compat_eval.report.view.frontier import Frontier, frontier
from compat_eval.report.view.mitigation_words import chosen_words, cost_words, sentence

_NAME = 60
UNTREATED = "untreated"


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatmentRow:
    """NEW at one level, untreated or under one mitigation.

    Attributes:
        mark: Its number in the drawing; 0 for untreated NEW.
        name: Of the mitigation.
        broken: How many units it breaks.
        fixed: How many it fixes.
        accuracy: Share that is right.
        nfr: Negative flip rate.
        nfi: Negative flip impact.
        pfr: Positive flip rate.
        accuracy_change: Accuracy less that of untreated NEW; `None` for it.
        nfi_change: Likewise.
        cost: How often the models are asked, and how long that takes.

    """

    mark: str
    name: str
    broken: str
    fixed: str
    accuracy: Number
    nfr: Number
    nfi: Number
    pfr: Number
    accuracy_change: Number | None
    nfi_change: Number | None
    cost: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatedLevel:
    """One level under all mitigations; the first row is untreated NEW."""

    title: str
    units: str
    rows: tuple[TreatmentRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceRow:
    """One setting on dev."""

    value: str
    chosen: bool
    accuracy: str
    nfr: str
    nfi: str
    pfr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceTable:
    """What dev chose, and from what."""

    name: str
    sentence: str
    rows: tuple[ChoiceRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mitigations:
    """All that is said of mitigations.

    Attributes:
        levels: The tables, the most important level first.
        sentences: What each does, in words.
        frontier: Accuracy against NFI at the main level; `None` where undefined.
        choices: Settings that dev chose.

    """

    levels: tuple[TreatedLevel, ...]
    sentences: tuple[str, ...]
    frontier: Frontier | None
    choices: tuple[ChoiceTable, ...]


def mitigations(results: Results) -> Mitigations | None:
    """Return what is said of mitigations; `None` where none was tried."""
    task, update = results.task, results.task.update
    tried = task.mitigations
    if not tried:
        return None
    times = results.run.manifest.get("mitigations") or {}
    return Mitigations(
        levels=tuple(
            TreatedLevel(
                title=words.level_title(found.level),
                units=words.units(found.units, found.level),
                rows=tuple(_rows(task, name, times)),
            )
            for name, found in update.levels.items()
        ),
        sentences=tuple(sentence(one, update.main) for one in tried),
        frontier=frontier(tried, update.main.level.name),
        choices=tuple(
            ChoiceTable(
                name=shortened(one.name, _NAME),
                sentence=chosen_words(one.chosen),
                rows=choice_rows(one.chosen, update.main.level.name),
            )
            for one in tried
            if one.chosen
        ),
    )


def _rows(
    task: TaskResult, level: str, times: Mapping[str, Any]
) -> Iterator[TreatmentRow]:
    untreated, tried = task.update.levels[level], task.mitigations
    shown = ("accuracy_new", "nfr", "nfi", "pfr")
    decimals = decimals_of(
        (
            one.statistics[name]
            for one in (untreated, *(one.update.levels[level] for one in tried))
            for name in shown
        ),
        "share",
    )
    yield _row("0", UNTREATED, untreated, {}, "–", decimals=decimals)
    for mark, one in enumerate(tried, start=1):
        changes = one.changes[level]
        cost = cost_words(one.cost, times.get(one.slug) or {})
        treated = one.update.levels[level]
        yield _row(str(mark), one.name, treated, changes, cost, decimals=decimals)


def _row(
    mark: str,
    name: str,
    counted: UnitCounts,
    changes: Mapping[str, Estimate],
    cost: str,
    *,
    decimals: int,
) -> TreatmentRow:
    estimates = counted.statistics
    shares = ("nfr", "nfi", "pfr")

    def change(name: str) -> Number | None:
        if name not in changes:
            return None
        return number(changes[name], "points", decimals=decimals)

    return TreatmentRow(
        mark=mark,
        name=shortened(name, _NAME),
        broken=numbers.count(counted.counts["broken"]),
        fixed=numbers.count(counted.counts["fixed"]),
        accuracy=number(estimates["accuracy_new"], "share", decimals=decimals),
        accuracy_change=change("accuracy_change"),
        nfi_change=change("nfi_change"),
        cost=cost,
        **{one: number(estimates[one], "share", decimals=decimals) for one in shares},
    )


def choice_rows(choice: Mapping[str, Any], level: str) -> tuple[ChoiceRow, ...]:
    """Return every setting on dev at a level, untreated NEW first."""
    points = [(UNTREATED, choice["untreated"])]
    points += [(f"{one['value']:g}", one["levels"]) for one in choice["tried"]]
    return tuple(
        ChoiceRow(
            value=value,
            chosen=value == f"{choice['value']:g}",
            **{
                name: numbers.percent(found[level][name])
                for name in ("accuracy", "nfr", "nfi", "pfr")
            },
        )
        for value, found in points
    )
