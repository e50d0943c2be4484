"""A file's own grades (its column `correct`): when they count.

Where gold is known the task grades, and a file that says otherwise is refused: the
judged file could write its own exam. Without gold, or where a file has no
predictions, `correct` is all there is; it is believed, and that is said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import DataError, some
from compat_eval.core.examples import Examples
from compat_eval.core.grades import Grades, names
from compat_eval.core.predictions import CORRECT_PREFIX, Predictions
from compat_eval.core.protocols import Task
from compat_eval.core.recorded import Recorded
from compat_eval.core.table import bools, positions

_CURE = "or believe it with --trust-correct"


def settled_grades(
    sides: tuple[Recorded, Recorded],
    task: Task,
    *,
    examples: Examples | None,
    trust: bool = False,
) -> tuple[tuple[Recorded, Recorded], tuple[str, ...]]:
    """Leave out the grades that the task gives better, and say which are believed.

    Args:
        sides: Old and new.
        task: Says what is right.
        examples: The questions; `None` where each side has its own gold.
        trust: Whether grades are believed whatever gold says: a user says so, or
            both sides are logs of tools that graded them.

    Raises:
        DataError: Grades contradict gold, only NEW grades itself, or a grade is of
            units that have scores.

    """
    old, new = sides
    for side in sides:
        _refuse_of_scores(side, task)
    golds = [side.examples if examples is None else examples for side in sides]
    if not any(side.predictions.graded_levels() for side in sides):
        return sides, ()
    if not any(gold.tells("gold") for gold in golds):
        note = "There is no gold: the files' own column 'correct' was believed."
        return sides, (note,)
    if trust:
        pairs = zip(("OLD", "NEW"), sides, golds, strict=True)
        told = (_trusted(side, gold, task, name) for name, side, gold in pairs)
        return sides, tuple(filter(None, told))
    blind = [_only_grades(side) for side in sides]
    if blind[1] and not blind[0]:
        raise DataError(
            f"{new.name} has no predictions but grades itself with its column "
            f"'correct', while {old.name} is graded by gold. Add the predictions, "
            f"{_CURE}."
        )
    settled, notes = [], []
    for side, gold, unseen in zip(sides, golds, blind, strict=True):
        if unseen:
            notes.append(
                f"{side.name} has no predictions: its column 'correct' was believed."
            )
        settled.append(side if unseen else _graded_by_task(side, gold, task))
    return (settled[0], settled[1]), tuple(notes)


def graded(
    task: Task, examples: Examples, predictions: Predictions, levels: Sequence[str]
) -> Mapping[str, Grades]:
    """Return grades by level: as recorded where they are, else as the task says."""
    recorded = {
        level: recorded_grades(predictions, level)
        for level in levels
        if CORRECT_PREFIX + level in predictions
    }
    others = [level for level in levels if level not in recorded]
    if not others:
        return recorded
    return {**recorded, **task.grade(examples, predictions, others)}


def recorded_grades(predictions: Predictions, level: str) -> Grades:
    """Return the grades that a file brought, of examples or of their samples."""
    column = predictions.column(CORRECT_PREFIX + level)
    if not pa.types.is_list(column.type):
        return Grades.per_example(bools(column))
    sizes = np.asarray(pc.fill_null(pc.list_value_length(column), 0), np.int64)
    values = pa.chunked_array([chunk.flatten() for chunk in column.chunks], pa.bool_())
    return Grades(bools(values), np.concatenate([[0], np.cumsum(sizes)]))


def _refuse_of_scores(side: Recorded, task: Task) -> None:
    """Refuse grades of right or wrong where units have scores."""
    scored = {one.name: one for one in task.levels if one.scale == "score"}
    for name in side.predictions.graded_levels():
        if name in scored:
            raise DataError(
                f"{side.name}: its column 'correct' says what is right or wrong, but "
                f"{scored[name].units} have scores at level {name}. Leave the column "
                "out: --fields correct="
            )


def _only_grades(side: Recorded) -> bool:
    """Whether a file has grades but no prediction at all."""
    return (
        bool(side.predictions.graded_levels()) and not side.predictions.answered().any()
    )


def _graded_by_task(side: Recorded, gold: Examples, task: Task) -> Recorded:
    for level in side.predictions.graded_levels():
        ids = _contradicted(side, gold, task, level)
        if ids:
            raise DataError(
                f"{side.name}: the column 'correct' contradicts gold for {len(ids)} of "
                f"{len(side.predictions)} examples ({some(ids)}). Correct it, leave it "
                f"out so that predictions are graded by gold, {_CURE}."
            ).cured_by(("--fields", "correct="))
    return replace(side, predictions=side.predictions.without_grades())


def _trusted(side: Recorded, gold: Examples, task: Task, name: str) -> str:
    """Say how often a side's trusted grades contradict gold; nothing without any."""
    levels = side.predictions.graded_levels()
    if not levels:
        return ""
    ids = {i for level in levels for i in _contradicted(side, gold, task, level)}
    if side.graded_by:
        count = f"; {len(ids)} answers that are not gold word for word are right there"
        return f"{name} was graded by {side.graded_by}{count if ids else ''}."
    note = f"{name} is graded by its own column 'correct' (--trust-correct)"
    if _only_grades(side):
        return f"{note}; it has no predictions."
    return f"{note}, which contradicts gold for {len(ids)} examples."


def _contradicted(side: Recorded, gold: Examples, task: Task, level: str) -> list[str]:
    """Return the ids for which a side's grade is not the task's.

    None where an example holds several units, which one grade cannot speak of; those
    of its samples are graded one by one.
    """
    if level not in names(task.levels):
        return []
    at = positions(side.predictions.ids, gold.ids)
    answers, asked = side.predictions.take(at >= 0), gold.take(at[at >= 0])
    found = task.grade(asked, answers.without_grades(), [level])[level]
    given = graded(task, asked, answers, [level])[level]
    if not np.array_equal(found.offsets, given.offsets):
        return []
    owner = np.repeat(np.arange(len(answers)), given.units_per_example())
    other = np.bincount(owner[found.right != given.right], minlength=len(answers)) > 0
    return list(answers.ids.filter(pa.array(other)).to_pylist())
