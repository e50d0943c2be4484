"""Which cell each unit is in, at each level."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.examples import Examples
from compat_eval.core.grades import Grades, Level
from compat_eval.core.predictions import CORRECT_PREFIX, Predictions
from compat_eval.core.protocols import Task
from compat_eval.core.table import bools


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelCells:
    """The units of one level.

    Attributes:
        level: The level.
        codes: The cell of each unit, shape (n_units,).
        changed: Whether its prediction changed, shape (n_units,); `None` where
            that is not known for units of this level.
        offsets: The units of example `i` are `offsets[i]` to `offsets[i + 1]`.

    """

    level: Level
    codes: Ints
    changed: Bools | None
    offsets: Ints

    @property
    def one_unit_an_example(self) -> bool:
        """Whether examples are the units."""
        return len(self.codes) == len(self.offsets) - 1


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
