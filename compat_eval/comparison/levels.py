"""Which cell each unit is in, at one level."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.comparison.alignment import Pairing
from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.correctness import Correctness
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import CORRECT_PREFIX, Predictions
from compat_eval.core.protocols import Task, TellsChanges
from compat_eval.core.table import bools
from compat_eval.statistics.families.flips import cell_codes


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


def level_cells(task: Task, pairing: Pairing, level: str) -> LevelCells:
    """Grade both sides at a level, and say which cell each unit is in.

    An answer that OLD lacks counts as right, one that NEW lacks as wrong: they are
    only there where `--on-missing bound` asked for it.

    Args:
        task: Says what is right.
        pairing: The aligned sides.
        level: Name of the level.

    """
    old = correctness(task, pairing.examples, pairing.old, level)
    new = correctness(task, pairing.examples, pairing.new, level)
    assert np.array_equal(old.offsets, new.offsets), "gold defines the units"
    units = old.units_per_example()
    codes = cell_codes(
        old.right | np.repeat(pairing.old_missing, units),
        new.right & ~np.repeat(pairing.new_missing, units),
    )
    moved = _changed_units(task, pairing, level, old)
    if moved is not None:
        # An answer that is no tree is wrong also where its arcs are the other side's.
        moved |= old.right != new.right
    if moved is None and old.n_units == len(pairing.examples):
        moved = changed(pairing)
    return LevelCells(
        level=level,
        codes=codes,
        changed=moved,
        offsets=old.offsets,
    )


def _changed_units(
    task: Task, pairing: Pairing, level: str, graded: Correctness
) -> Bools | None:
    """Return which units changed, as the task says; `None` where it does not."""
    if not isinstance(task, TellsChanges):
        return None
    moved = task.changed(pairing.examples, pairing.old, pairing.new, level)
    if moved is None or len(moved) != graded.n_units:  # graded by a file, coarser
        return None
    return moved | np.repeat(pairing.bounded, graded.units_per_example())


def correctness(
    task: Task, examples: Examples, predictions: Predictions, level: str
) -> Correctness:
    """Return which units are right: as recorded where it is, else as the task says."""
    recorded = CORRECT_PREFIX + level
    if recorded in predictions:
        return Correctness.per_example(bools(predictions.column(recorded)))
    return task.correct(examples, predictions, level)


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
