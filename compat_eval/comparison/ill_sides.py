"""A verdict needs two sides that could have failed: what speaks against that."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from scipy.special import betainc

from compat_eval.comparison.update import Update
from compat_eval.core.errors import DataError
from compat_eval.core.grades import BROKEN, FIXED, SAME
from compat_eval.core.predictions import CORRECT_PREFIX, Predictions
from compat_eval.core.protocols import DoubtsAnswers
from compat_eval.core.recorded import Recorded
from compat_eval.statistics.flip_table import FlipTable

_BY_CHANCE = 0.01
"""How often a judge that wavers is taken for one that favours NEW."""

_LOPSIDED = 19
"""Where a grade is of more than the answer that is shown (a majority of samples), a
better NEW is favoured, too, but not so one-sidedly as by a scorer that was changed."""


def refuse_ill(name: str, side: Predictions) -> None:
    """Refuse a side without a single answer.

    Raises:
        DataError: Each of its answers is an error or missing.

    """
    errors = side.errors()
    silent = errors | ~side.answered()
    if not len(side) or not silent.all() or (side.graded_levels() and not errors.all()):
        return
    count = int(np.count_nonzero(errors))
    first = side.column("error").drop_null()[0].as_py() if count else None
    raise DataError(
        f"{name} gave no answer to any of {len(side)} examples"
        + (f": {count} are errors, the first {first!r}" if count else "")
        + ". Mend it; there is nothing to compare."
    )


def doubts_about(update: Update, max_errors: float) -> Iterator[str]:
    """Yield why nothing may pass, as far as the sides themselves show it."""
    for name, side, missing in (
        ("old", update.old, update.old_missing),
        ("new", update.new, update.new_missing),
    ):
        errors, answers = side.errors().sum(), np.count_nonzero(~missing)
        if errors > max_errors * answers:
            yield (
                f"{errors} of {answers} answers of {name} are errors, more than "
                f"--max-errors {max_errors:g}"
            )
    ungraded = _without_grade(update)
    if ungraded:
        yield (
            f"old's file has no grade of {ungraded} answers, and what is not known to "
            "be right is not seen to break"
        )
    if isinstance(update.task, DoubtsAnswers):
        yield from update.task.doubts(update.examples, update.old, update.new)
    up, down = _graded_otherwise(update)
    if up > _LOPSIDED * down and betainc(up, down + 1, 0.5) <= _BY_CHANCE:
        yield (
            f"{up} answers that are the same on both sides are graded wrong for old "
            f"and right for new ({down} the other way round), so the two were not "
            "graded alike"
        )
    first = update.levels[0]
    if update.cells[first].level.scale == "right":
        reason = never_right(update.table(first))
        if reason is not None:
            yield reason


def never_right(table: FlipTable, *, where: str | None = None) -> str | None:
    """Return which side has no unit right, as a reason; `None` where both have one."""
    kept, broken, fixed, missed = (int(count) for count in table.counts[:4])
    part = "" if where is None else f" in {where}"
    if not kept + broken:
        return (
            f"old has none of {fixed + missed} units right{part}, so none could break"
        )
    if not kept + fixed:
        return f"new has none of {broken + missed} units right{part}"
    return None


def _without_grade(update: Update) -> int:
    """Return how many answers of old a file that grades them leaves without a grade."""
    count = 0
    for level in update.old.graded_levels():
        there = pa.array(~update.old_missing)
        cells = update.old.column(CORRECT_PREFIX + level).filter(there)
        count += cells.null_count
        if pa.types.is_list(cells.type):
            count += sum(chunk.flatten().null_count for chunk in cells.chunks)
    return count


def _graded_otherwise(update: Update) -> tuple[int, int]:
    """Count the same answers that files grade in NEW's favour, and in OLD's.

    A judge may waver, as often for one side as for the other.
    """
    up = down = 0
    same = update.old.answered() & update.new.answered() & ~update.changed
    for name in {*update.old.graded_levels()} & {*update.new.graded_levels()}:
        cells = update.cells.get(name)
        if cells is None or cells.level.scale != "right":
            continue
        codes = cells.codes[np.repeat(same, np.diff(cells.offsets))]
        up += int(np.count_nonzero(codes == FIXED))
        down += int(np.count_nonzero(codes == BROKEN))
    return up, down


def graded_otherwise(update: Update) -> Iterator[str]:
    """Yield a note where the same answer has two grades."""
    up, down = _graded_otherwise(update)
    if up + down:
        yield (
            f"{up + down} answers are the same on both sides and have two grades: "
            f"{down} right for old alone, {up} right for new alone."
        )


def same_answers(update: Update, old: Recorded, new: Recorded) -> Iterator[str]:
    """Yield a note where the two sides cannot be told apart."""
    if old.fingerprint and old.fingerprint == new.fingerprint:
        yield "Old and new have the same content: they are one and the same side."
        return
    if not update.old.answered().any() or update.changed.any():
        return
    cells = update.cells.values()
    if not any(np.isin(one.codes, (BROKEN, FIXED)).any() for one in cells):
        yield (
            f"Old and new gave the same answers to all {len(update.examples)} "
            "examples: are they the same model or file?"
        )


def hidden_moves(update: Update) -> Iterator[str]:
    """Yield a note for each level where all that moved is within epsilon."""
    for name in update.levels:
        cells = update.cells[name]
        if cells.level.alpha is not None:
            continue
        if cells.level.scale != "score" or (cells.codes != SAME).any():
            continue
        old, new = (
            update.panel.grades(role)[name].scores
            for role in (update.old_role, update.new_role)
        )
        moved = np.count_nonzero(np.abs(new - old) > 0)
        if moved:
            yield (
                f"{moved} of {len(cells.codes)} {cells.level.units} moved at level "
                f"{name}, none by more than epsilon {cells.level.epsilon:g}: all count "
                "as the same."
            )


def silences(update: Update) -> Iterator[str]:
    """Yield a note for each side that leaves answers empty, and names no error."""
    meaning = {
        "OLD": "that is wrong, and what is wrong cannot break",
        "NEW": "that is wrong",
    }
    scale = update.cells[update.levels[0]].level.scale
    if scale == "agreement":
        meaning = dict.fromkeys(meaning, "none is the same as none only")
    if scale == "score":
        meaning = {
            "OLD": "they have no score, and a gate takes them at the worst",
            "NEW": "they have no score, and count as worse",
        }
    for name, side, missing in (
        ("OLD", update.old, update.old_missing),
        ("NEW", update.new, update.new_missing),
    ):
        empty = ~side.answered() & ~missing
        count = np.count_nonzero(empty & ~side.errors())
        if count and not side.graded_levels():
            yield (
                f"{name} gave no answer to {count} of {np.count_nonzero(~missing)} "
                f"examples (null or empty); {meaning[name]}."
            )
