"""Whether words or spans near each other broke together, as bars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compat_eval.report import numbers, words
from compat_eval.report.results import TaskResult
from compat_eval.report.view.axis import place

_WIDTH = 112.0
_MANY = 10
_TITLES = {"by_words": "Words apart", "by_edges": "Edges apart in gold"}


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
        _table(name, found[name], found["independent"])
        for name in _TITLES
        if found[name]
    )
    return CoFlips(level=words.level_title(level), said=said, tables=tables)


def _table(
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
                width=place(_WIDTH * row["share"] / most),
                few=row["pairs"] < _MANY,
            )
            for row in rows
        ),
        independent=place(_WIDTH * independent / most),
    )
