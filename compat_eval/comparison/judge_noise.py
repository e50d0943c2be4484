"""Verdicts on what a judge says that says something else when asked again.

A judge that was asked several times about each answer gives each a lowest and a highest
score. What it is worth nobody knows better than that. So gates are judged twice more:
with old's answers at their best and new's at their worst, and the other way round. What
passes passes in the first reading too; what fails fails in the second too; all else is
inconclusive. A judge that knows nothing contradicts itself often, and decides nothing.
One that is always wrong in the same way contradicts itself never: asking it again does
not show that, only gold does.

The mean over askings is what is shown, and its interval covers the judge's noise like
any other, since clusters of examples are resampled with what was said about them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from compat_eval.comparison.update import Update
from compat_eval.core.grades import Grades, Level
from compat_eval.core.verdict import Verdict
from compat_eval.gates import GateResult

Judging: TypeAlias = Callable[[Update], Sequence[GateResult]]

_WORST, _BEST = 0, 1


def within_judge_noise(
    update: Update, gates: Sequence[GateResult], judging: Judging
) -> tuple[GateResult, ...]:
    """Take back verdicts that rest on what a judge says one time of several.

    Args:
        update: Old and new.
        gates: What was found by the judge's mean scores.
        judging: Judges all gates on an update.

    """
    noisy = set(_contradicted(update))
    if not noisy or not any(_level(update, one) in noisy for one in gates):
        return tuple(gates)
    worst_of = judging(_read(update, new=_WORST))
    best_of = judging(_read(update, new=_BEST))
    return tuple(
        _settled(one, worst=worst, best=best) if _level(update, one) in noisy else one
        for one, worst, best in zip(gates, worst_of, best_of, strict=True)
    )


def pooled_within_judge_noise(
    updates: Mapping[str, Update],
    result: GateResult,
    judging: Callable[[Mapping[str, Update]], GateResult],
) -> GateResult:
    """Take back the verdict of a gate on several suites, as `within_judge_noise`."""
    noisy = {
        name
        for name, update in updates.items()
        if update.levels[0] in _contradicted(update)
    }
    if not noisy:
        return result

    def read(end: int) -> Mapping[str, Update]:
        return {
            name: _read(update, new=end) if name in noisy else update
            for name, update in updates.items()
        }

    return _settled(result, worst=judging(read(_WORST)), best=judging(read(_BEST)))


def _level(update: Update, result: GateResult) -> str:
    return result.gate.level or update.levels[0]


def _contradicted(update: Update) -> Iterator[str]:
    """Yield the levels at which somebody who graded contradicts himself."""
    for role in (update.old_role, update.new_role):
        for name, grades in update.panel.grades(role).items():
            if grades.ends is not None and (grades.ends[0] < grades.ends[1]).any():
                yield name


def _settled(result: GateResult, *, worst: GateResult, best: GateResult) -> GateResult:
    if result.verdict is Verdict.PASS and worst.verdict is not Verdict.PASS:
        return result.inconclusive(
            "it passes only by the mean of what the judge says: with its worst word on "
            f"new and its best on old {worst.reason}"
        )
    if result.verdict is Verdict.FAIL and best.verdict is not Verdict.FAIL:
        return result.inconclusive(
            "it fails only by the mean of what the judge says: with its best word on "
            f"new and its worst on old {best.reason}"
        )
    return result


def _read(update: Update, *, new: int) -> Update:
    """Return an update in which new's scores are the worst or best that were given."""
    described = {level.name: level for level in update.task.levels}
    panel = replace(update.panel)  # its memory of grades is its own
    for role, end in ((update.old_role, 1 - new), (update.new_role, new)):
        grades: Mapping[str, Grades] = {
            name: _at(described[name], found, end)
            for name, found in update.panel.grades(role).items()
        }
        panel.regrade(role, grades)
    return replace(update, panel=panel)


def _at(level: Level, grades: Grades, end: int) -> Grades:
    if grades.ends is None:
        return grades
    low, high = grades.ends if level.better == "higher" else grades.ends[::-1]
    values = high if end == _BEST else low
    return replace(grades, values=np.where(np.isnan(grades.values), np.nan, values))
