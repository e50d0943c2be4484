"""Versions of a model, or several training runs a side: updates beside each other."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from compat_eval.comparison.result import UnitCounts
from compat_eval.core.estimate import Estimate
from compat_eval.core.grades import Scale
from compat_eval.report import numbers, words
from compat_eval.report.numbers import Number, Unit, decimals_of, number
from compat_eval.report.results import Results
from compat_eval.report.section import ReportedRun, Section

_COLUMNS: Mapping[Scale, Mapping[str, tuple[str, numbers.Unit]]] = MappingProxyType(
    {
        "right": {
            "accuracy_new": ("Accuracy after", "share"),
            "accuracy_change": ("Change", "points"),
            "nfr": ("NFR", "share"),
            "pfr": ("PFR", "share"),
            "nfi": ("NFI", "share"),
        },
        "score": {
            "score_new": ("Mean score after", "plain"),
            "score_change": ("Change", "plain"),
            "worse_rate": ("Share worse", "share"),
            "better_rate": ("Share better", "share"),
        },
        "agreement": {
            "agreement": ("Agreement", "share"),
            "churn": ("Churn", "share"),
        },
    }
)
"""What is said of an update, by the scale of its level: heading and unit."""

_OLD: Mapping[Scale, tuple[str, str]] = MappingProxyType(
    {
        "right": ("accuracy_old", "accuracy_new"),
        "score": ("score_old", "score_new"),
    }
)
"""OLD's value where it has one, and the column where it stands if OLD is kept."""

_RATES: Mapping[Scale, str] = MappingProxyType(
    {"right": "nfr", "score": "worse_rate", "agreement": "churn"}
)
_SAID: Mapping[Scale, tuple[tuple[str, str, numbers.Unit], ...]] = MappingProxyType(
    {
        "right": (
            ("nfr", "NFR", "share"),
            ("accuracy_change", "The change in accuracy", "points"),
        ),
        "score": (
            ("worse_rate", "The share that got worse", "share"),
            ("score_change", "The change in the mean score", "plain"),
        ),
        "agreement": (("churn", "Churn", "share"),),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRow:
    """One update at a level, or OLD kept as it is.

    Attributes:
        name: Of the update, or of the mitigation that makes it.
        lost: How many units it breaks.
        won: How many it fixes.
        numbers: Its statistics, by name.
        changes: By the same names, how much they differ from what is compared with,
            where that is estimated.
        mark: Its number in a drawing.
        cost: How often the models are asked, and how long that takes.
        effect: What a mitigation does, in a word or two.
        stands: What it is to NEW without one: `dominates`, `dominated`, `undecided`.

    """

    name: str
    lost: str
    won: str
    numbers: Mapping[str, Number]
    changes: Mapping[str, Number]
    mark: str = ""
    cost: str = ""
    effect: str = ""
    stands: str = ""

    @classmethod
    def of(
        cls,
        name: str,
        counted: UnitCounts,
        columns: Mapping[str, Unit],
        changes: Mapping[str, Estimate],
        *,
        decimals: int,
    ) -> "UpdateRow":
        """Return the row of an update with some of its statistics."""
        return cls(
            name=name,
            lost=numbers.count(counted.lost),
            won=numbers.count(counted.won),
            numbers={
                column: number(counted.statistics[column], unit, decimals=decimals)
                for column, unit in columns.items()
            },
            changes={
                column: number(moved, "points", decimals=decimals)
                for column, moved in changes.items()
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionsView:
    """What is said of versions or training runs.

    Attributes:
        caption: What the rows are.
        called: What it is called that units are worse or better off.
        columns: Headings by statistic; those of a row's `numbers`.
        rows: OLD kept, then the updates.
        rate: The statistic of the matrix.
        roles: The columns of the matrix; empty for training runs.
        matrix: For each version the rate of an update to each of `roles`.
        sentences: How far training runs differ, beside the interval over examples.

    """

    caption: str
    called: words.CellWords
    columns: Mapping[str, str]
    rows: tuple[UpdateRow, ...]
    rate: str
    roles: tuple[str, ...] = ()
    matrix: tuple[tuple[str, tuple[str, ...]], ...] = ()
    sentences: tuple[str, ...] = ()


def versions(results: Results) -> VersionsView | None:
    """Return what is said of versions or training runs; `None` for two sides."""
    task, (old, new) = results.task, results.run.judged
    level, every = task.update.main.level, _every_update(results)
    if task.matrix is not None:
        old, new = task.matrix.roles.versions[0], task.matrix.roles.versions[-1]
    if len(every) <= 1:
        return None
    spread = task.analyses.get("seed_spread")
    view = VersionsView(
        caption="Each pair of training runs, and the sum of all",
        called=words.CELL_WORDS[level.scale],
        columns={name: said for name, (said, _) in _COLUMNS[level.scale].items()},
        rows=_rows(every, level.scale, kept=old),
        rate=_RATES[level.scale],
    )
    if spread is not None:
        said = _differences(task.update.main, spread[level.name], len(task.others))
        return replace(view, sentences=tuple(said))
    roles = sorted({role for pair in every for role in pair}, key=_number_of)
    steps = list(pairwise(roles))
    shown = {pair: every[pair] for pair in dict.fromkeys([*steps, (old, new)])}
    return replace(
        view,
        caption="Each version against the one before, the first against the last",
        rows=_rows(shown, level.scale, kept=old),
        roles=tuple(roles[1:]),
        matrix=tuple(_matrix(every, roles, view.rate)),
    )


def _every_update(results: Results) -> dict[tuple[str, str], UnitCounts]:
    """Return the counts of all updates at the main level, the judged one last."""
    task = results.task
    level = task.update.main.level
    found = {pair: one.levels[level.name] for pair, one in task.others.items()}
    every = {**found, results.run.judged: task.update.main}
    if task.matrix is None:
        return every
    # Encoders by their own index alone; the rest stands in the upgrade matrix.
    own = {*task.matrix.roles.versions}
    return {pair: one for pair, one in every.items() if own.issuperset(pair)}


def _number_of(role: str) -> int:
    return int(role.removeprefix("v"))


def _rows(
    updates: Mapping[tuple[str, str], UnitCounts], scale: Scale, *, kept: str
) -> tuple[UpdateRow, ...]:
    columns = {name: unit for name, (_, unit) in _COLUMNS[scale].items()}
    decimals = {
        unit: decimals_of(
            [one.statistics[n] for one in updates.values() for n in columns], unit
        )
        for unit in columns.values()
    }
    first = next(one for (old, _), one in updates.items() if old == kept)
    before = {}
    if scale in _OLD:
        name, stands_in = _OLD[scale]
        unit = columns[stands_in]
        before[stands_in] = number(
            first.statistics[name], unit, decimals=decimals[unit]
        )
    keep = UpdateRow(name=f"keep {kept}", lost="0", won="0", numbers=before, changes={})
    rows = (
        UpdateRow(
            name=" → ".join(pair),
            lost=numbers.count(one.lost),
            won=numbers.count(one.won),
            numbers={
                name: number(one.statistics[name], unit, decimals=decimals[unit])
                for name, unit in columns.items()
            },
            changes={},
        )
        for pair, one in updates.items()
    )
    return (keep, *rows)


def _matrix(
    updates: Mapping[tuple[str, str], UnitCounts], roles: list[str], name: str
) -> list[tuple[str, tuple[str, ...]]]:
    rates = {pair: one.statistics[name] for pair, one in updates.items()}
    decimals = decimals_of(rates.values(), "share")

    def cell(rate: Estimate | None) -> str:
        return "–" if rate is None else number(rate, "share", decimals=decimals).text

    return [
        (old, tuple(cell(rates.get((old, new))) for new in roles[1:]))
        for old in roles[:-1]
    ]


def _differences(
    pooled: UnitCounts, spread: Mapping[str, Any], n_pairs: int
) -> list[str]:
    said = []
    for name, title, unit in _SAID[pooled.level.scale]:
        deviation = spread[name]["deviation"]
        if deviation is None:
            continue
        decimals = 3 if unit == "plain" else 1
        ends = (spread[name][end] for end in ("lowest", "highest"))
        lowest, highest = (numbers.amount(end, unit, decimals) for end in ends)
        off = (
            numbers.amount(deviation, unit, decimals)
            if unit == "plain"
            else f"{100 * deviation:.1f} points"
        )
        said.append(
            f"{title} is {number(pooled.statistics[name], unit).full} over examples; "
            f"over {n_pairs} pairs of training runs it lies between {lowest} and "
            f"{highest} (standard deviation of a pair: {off})."
        )
    return said


def _view(reported: ReportedRun) -> VersionsView | None:
    return versions(reported.results)


SECTION = Section(
    title="Versions and training runs", view=_view, template="versions.html.j2"
)
