"""Versions of a model, or several training runs a side: updates beside each other."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from compat_eval.comparison.result import UnitCounts
from compat_eval.core.estimate import Estimate
from compat_eval.report import numbers
from compat_eval.report.numbers import Number, decimals_of, number
from compat_eval.report.results import Results
from compat_eval.report.section import ReportedRun, Section

_SHARES = ("nfr", "pfr", "nfi", "accuracy_new")
_SAID: tuple[tuple[str, str, numbers.Unit], ...] = (
    ("nfr", "NFR", "share"),
    ("accuracy_change", "The change in accuracy", "points"),
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

    """

    name: str
    lost: str
    won: str
    numbers: Mapping[str, Number]
    changes: Mapping[str, Number]
    mark: str = ""
    cost: str = ""

    @classmethod
    def of(
        cls,
        name: str,
        counted: UnitCounts,
        columns: Iterable[str],
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
                column: number(counted.statistics[column], "share", decimals=decimals)
                for column in columns
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
        rows: OLD kept, then the updates.
        roles: The columns of the matrix; empty for training runs.
        matrix: For each version the NFR of an update to each of `roles`.
        sentences: How far training runs differ, beside the interval over examples.

    """

    caption: str
    rows: tuple[UpdateRow, ...]
    roles: tuple[str, ...] = ()
    matrix: tuple[tuple[str, tuple[str, ...]], ...] = ()
    sentences: tuple[str, ...] = ()


def versions(results: Results) -> VersionsView | None:
    """Return what is said of versions or training runs; `None` for two sides."""
    task, (old, new) = results.task, results.run.judged
    level = task.update.main.level.name
    found = {pair: one.levels[level] for pair, one in task.others.items()}
    if not found or "nfr" not in task.update.main.statistics:
        return None
    spread = task.analyses.get("seed_spread")
    every = {**found, (old, new): task.update.main}
    if spread is None:
        roles = sorted({role for pair in every for role in pair}, key=_number_of)
        steps = list(pairwise(roles))
        shown = {pair: every[pair] for pair in dict.fromkeys([*steps, (old, new)])}
        return VersionsView(
            caption="Each version against the one before, the first against the last",
            rows=_rows(shown, kept=old),
            roles=tuple(roles[1:]),
            matrix=tuple(_matrix(every, roles)),
        )
    return VersionsView(
        caption="Each pair of training runs, and the sum of all",
        rows=_rows(every, kept=old),
        sentences=tuple(_differences(task.update.main, spread[level], len(found))),
    )


def _number_of(role: str) -> int:
    return int(role.removeprefix("v"))


def _rows(
    updates: Mapping[tuple[str, str], UnitCounts], *, kept: str
) -> tuple[UpdateRow, ...]:
    statistics = [one.statistics for one in updates.values()]
    decimals = decimals_of((one[n] for one in statistics for n in _SHARES), "share")
    first = next(one for (old, _), one in updates.items() if old == kept)
    before = number(first.statistics["accuracy_old"], "share", decimals=decimals)
    keep = UpdateRow(
        name=f"keep {kept}",
        lost="0",
        won="0",
        numbers={"accuracy_new": before},
        changes={},
    )
    rows = (
        UpdateRow.of(
            " → ".join(pair),
            one,
            _SHARES,
            {"accuracy_new": one.statistics["accuracy_change"]},
            decimals=decimals,
        )
        for pair, one in updates.items()
    )
    return (keep, *rows)


def _matrix(
    updates: Mapping[tuple[str, str], UnitCounts], roles: list[str]
) -> list[tuple[str, tuple[str, ...]]]:
    rates = {pair: one.statistics["nfr"] for pair, one in updates.items()}
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
    return [
        f"{title} is {number(pooled.statistics[name], unit).full} over examples; over "
        f"{n_pairs} pairs of training runs it lies between "
        f"{numbers.amount(spread[name]['lowest'], unit, 1)} and "
        f"{numbers.amount(spread[name]['highest'], unit, 1)} (standard deviation "
        f"{100 * spread[name]['deviation']:.1f} points)."
        for name, title, unit in _SAID
        if spread[name]["deviation"] is not None
    ]


def _view(reported: ReportedRun) -> VersionsView | None:
    return versions(reported.results)


SECTION = Section(
    title="Versions and training runs", view=_view, template="versions.html.j2"
)
