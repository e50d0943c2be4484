"""Which cell each unit is in, at each level."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.comparison.alignment import Pairing
from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.examples import Examples
from compat_eval.core.grades import Grades, Level, cells
from compat_eval.core.predictions import CORRECT_PREFIX, Predictions
from compat_eval.core.protocols import Task, TellsChanges
from compat_eval.core.table import bools


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelCells:
    """The units of one level.

    Attributes:
        level: Name of the level.
        codes: The cell of each unit, shape (n_units,).
        changed: Whether its prediction changed, shape (n_units,); `None` where
            that is not known for units of this level.
        offsets: The units of example `i` are `offsets[i]` to `offsets[i + 1]`.

    """

    level: str
    codes: Ints
    changed: Bools | None
    offsets: Ints

    @property
    def one_unit_an_example(self) -> bool:
        """Whether examples are the units."""
        return len(self.codes) == len(self.offsets) - 1


def cells_by_level(
    task: Task, pairing: Pairing, levels: Sequence[str]
) -> Mapping[str, LevelCells]:
    """Grade both sides, and say which cell each unit is in, by level.

    An answer that OLD lacks counts as right, one that NEW lacks as wrong: they are
    only there where `--on-missing bound` asked for it.

    Args:
        task: Says what is right.
        pairing: The aligned sides.
        levels: Names of the levels.

    """
    old = graded(task, pairing.examples, pairing.old, levels)
    new = graded(task, pairing.examples, pairing.new, levels)
    described = {level.name: level for level in task.levels}
    return {
        name: _cells(task, pairing, described[name], (old[name], new[name]))
        for name in levels
    }


def _cells(
    task: Task, pairing: Pairing, level: Level, sides: tuple[Grades, Grades]
) -> LevelCells:
    old, new = sides
    bounded_old = _set_where(old, pairing.old_missing, value=True)
    bounded_new = _set_where(new, pairing.new_missing, value=False)
    moved = _changed_units(task, pairing, level.name, old)
    if moved is not None:
        # An answer that is no tree is wrong also where its arcs are the other side's.
        moved |= old.values != new.values
    if moved is None and old.n_units == len(pairing.examples):
        moved = changed(pairing)
    return LevelCells(
        level=level.name,
        codes=cells(level, bounded_old, bounded_new),
        changed=moved,
        offsets=old.offsets,
    )


def _set_where(grades: Grades, missing: Bools, *, value: bool) -> Grades:
    """Return grades with one value for all units of the examples that are missing."""
    if not missing.any():
        return grades
    units = np.repeat(missing, grades.units_per_example())
    return Grades(np.where(units, value, grades.values), grades.offsets)


def _changed_units(
    task: Task, pairing: Pairing, level: str, old: Grades
) -> Bools | None:
    """Return which units changed, as the task says; `None` where it does not."""
    if not isinstance(task, TellsChanges):
        return None
    moved = task.changed(pairing.examples, pairing.old, pairing.new, level)
    if moved is None or len(moved) != old.n_units:  # graded by a file, coarser
        return None
    return moved | np.repeat(pairing.bounded, old.units_per_example())


def graded(
    task: Task, examples: Examples, predictions: Predictions, levels: Sequence[str]
) -> Mapping[str, Grades]:
    """Return grades by level: as recorded where they are, else as the task says."""
    recorded = {
        level: Grades.per_example(bools(predictions.column(CORRECT_PREFIX + level)))
        for level in levels
        if CORRECT_PREFIX + level in predictions
    }
    others = [level for level in levels if level not in recorded]
    if not others:
        return recorded
    return {**recorded, **task.grade(examples, predictions, others)}


def changed(pairing: Pairing) -> Bools:
    """Return which examples' predictions differ; shape (n_examples,)."""
    return differs(pairing.old.column("prediction"), pairing.new.column("prediction"))


def differs(one: pa.ChunkedArray, other: pa.ChunkedArray) -> Bools:
    """Return where two columns differ; two nulls are the same."""
    if pa.types.is_nested(one.type):  # Arrow compares no nested values
        pairs = zip(one.to_pylist(), other.to_pylist(), strict=True)
        return np.fromiter((a != b for a, b in pairs), np.bool_, len(one))
    neither = pc.and_(pc.is_null(one), pc.is_null(other))
    return ~(bools(pc.equal(one, other)) | bools(neither))
