"""What broke by what the units are: relation, part of speech, label, length, …."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.comparison.result import Facet, UnitCounts
from compat_eval.comparison.update import LevelCells, Update
from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.grades import CELLS
from compat_eval.core.predictions import CORRECT_PREFIX
from compat_eval.core.protocols import HasFacets
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.flip_table import FlipTable

MOST_VALUES = 40
_SHOWN = ("accuracy_old", "accuracy_new", "nfr", "nfi", "worse_rate", "better_rate")


def breakdowns(update: Update, *, confidence: float) -> list[dict[str, Any]] | None:
    """Return the counts of each value of each facet, at each level.

    Values stand in their order, or the most frequent first where they have none;
    of more than `MOST_VALUES` the rarest are left out and counted. A unit
    without a value is in no group.

    Returns:
        One entry for each facet and level, JSON-ready; `None` where the task knows
        of no facets.

    """
    task, examples = update.task, update.examples
    if not isinstance(task, HasFacets):
        return None
    return [
        _broken_down(update, level, facet, column, confidence).to_dict()
        for level in graded_by_task(update)
        for facet, column in _columns(task.facets(examples, level))
    ]


def graded_by_task(update: Update) -> list[str]:
    """Return the levels whose units are the task's, not those of a file's grades."""
    sides = (update.old, update.new)
    return [
        level
        for level in update.levels
        if not any(CORRECT_PREFIX + level in side for side in sides)
    ]


def _columns(facets: pa.Table) -> Iterator[tuple[str, pa.DictionaryArray]]:
    for name in facets.column_names:
        yield name, facets[name].combine_chunks()


def _broken_down(
    update: Update,
    level: str,
    facet: str,
    column: pa.DictionaryArray,
    confidence: float,
) -> Facet:
    cells = update.cells[level]
    assert len(column) == len(cells.codes), "facets are those of the units"
    codes = np.asarray(pc.fill_null(column.indices, -1), np.int64)
    names = column.dictionary.to_pylist()
    counts = np.bincount(
        codes[codes >= 0] * len(CELLS) + cells.codes[codes >= 0],
        minlength=len(names) * len(CELLS),
    ).reshape(-1, len(CELLS))
    chosen = _listed(counts.sum(axis=1), names, in_order=column.type.ordered)
    there = int(np.count_nonzero(counts.sum(axis=1)))
    known = update.statistics_at(level)
    shown = [known[name] for name in _SHOWN if name in known]

    def counted(at: int) -> UnitCounts:
        table = _table(update, cells, (facet, names[at]), codes == at)
        found = {s.name: evidence(table, s).estimate(confidence) for s in shown}
        return UnitCounts.of_table(table, cells.level, found, part=names[at])

    return Facet(
        name=facet,
        level=cells.level,
        ordered=column.type.ordered,
        left_out=there - len(chosen),
        values=tuple(map(counted, chosen)),
    )


def _listed(units: Ints, names: Sequence[str], *, in_order: bool) -> list[int]:
    there = np.flatnonzero(units).tolist()
    ranked = sorted(there, key=lambda at: (-units[at], names[at]))[:MOST_VALUES]
    return sorted(ranked) if in_order else ranked


def _table(
    update: Update, cells: LevelCells, part: tuple[str, str], units: Bools
) -> FlipTable:
    return FlipTable.of(
        cells.codes,
        offsets=None if cells.one_unit_an_example else cells.offsets,
        clusters=update.clusters,
        weights=update.weights,
        unit_mask=units,
        seed=update.panel.seed,
        key=(update.panel.name, cells.level.name, *part),
    )
