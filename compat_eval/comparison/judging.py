"""Hand each gate its evidence, and judge.

Answers that nobody knows are taken at the worst for what a gate limits. An answer that
a side lacks (`--on-missing bound`) may have been right or wrong, and so may one of OLD
in whose place stands an error. Where the other side's answer is known, two cells are
possible, otherwise all four. Units of which the same is known form a group; each group
goes to the cell for which the value is worst. No mixture of cells is worse for a ratio
of sums of cells, since such a ratio is monotone in each of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.comparison.ill_sides import never_right
from compat_eval.comparison.slices import slice_mask
from compat_eval.comparison.update import Update
from compat_eval.core.arrays import Bools, Ints, Rows, Values
from compat_eval.core.errors import SuiteError, some
from compat_eval.core.estimate import rounded
from compat_eval.core.grades import (
    BETTER,
    BROKEN,
    CHANGED,
    FIXED,
    KEPT,
    MISSED,
    SAME,
    WORSE,
)
from compat_eval.core.protocols import SuitedTask
from compat_eval.core.statistic import Statistic
from compat_eval.core.table import bools
from compat_eval.core.verdict import Verdict
from compat_eval.gates import (
    Demands,
    Finding,
    Gate,
    GateResult,
    OtherClaims,
    ProtectedFinding,
    claims_of,
    judge,
    of_update,
)
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import AGREEMENT_STATISTICS
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.intervals.evidence import Evidence, Negated, Undefined

_EVERY, _BOTH = "every answer of both sides", "one answer to each example"

_Group: TypeAlias = tuple[Bools, tuple[int, ...]]
"""Units of which the same is known, and the cells in which they may be."""


def judged(
    update: Update,
    demands: Demands,
    *,
    doubts: Sequence[str],
    again: Update | None,
) -> tuple[GateResult, ...]:
    """Judge every demand.

    Args:
        update: Old and new.
        demands: The gates.
        doubts: Why no gate may pass.
        again: Old and its second run, where there was one.

    Raises:
        SuiteError: A gate names a metric, level, slice or example that is not there.

    """
    gates = demands.all_gates()
    alpha = round(1 - demands.confidence, 12)
    found = judge(
        gates,
        lambda gate: find(update, gate),
        alpha=alpha,
        correction=demands.correction,
        doubts=doubts,
        noise=None if again is None else lambda gate: _noise_of(again, gate),
        known=lambda gate: _known(update, gate),
        others=demands.others,
    )
    found = tuple(_of_sides_that_can_be_right(update, result) for result in found)
    if not _has_doubtful(update):
        return found
    worst = judge(
        gates,
        lambda gate: find(update, gate, errors=True),
        alpha=alpha,
        correction=demands.correction,
        known=lambda gate: _known(update, gate),
        others=demands.others,
    )
    return tuple(
        _with_errors_at_worst(update, one, other)
        for one, other in zip(found, worst, strict=True)
    )


def claims(update: Update, demands: Demands) -> OtherClaims:
    """Return what the gates of an update claim, as p-values.

    Where old made errors, that a limit is kept is claimed of both readings of them.

    Raises:
        SuiteError: A gate names a metric, level, slice or example that is not there.

    """

    def read(*, errors: bool) -> OtherClaims:
        return claims_of(
            demands.all_gates(),
            lambda gate: find(update, gate, errors=errors),
            known=lambda gate: _known(update, gate),
        )

    plain = read(errors=False)
    worst = read(errors=True) if _has_doubtful(update) else plain
    # As they are written: whoever reads them again orders them alike.
    return OtherClaims(
        kept=tuple(rounded([*map(max, plain.kept, worst.kept)])),
        broken=tuple(rounded([*plain.broken])),
    )


def _has_doubtful(update: Update) -> bool:
    return any(_doubtful(update, level).any() for level in update.levels)


def _with_errors_at_worst(
    update: Update, result: GateResult, worst: GateResult
) -> GateResult:
    """Take back a pass that rests on OLD's errors being wrong answers, or no better."""
    if result.verdict is not Verdict.PASS or worst.verdict is Verdict.PASS:
        return result
    counted = "old's errors count as wrong answers"
    if update.cells[result.gate.level or update.levels[0]].level.scale == "score":
        counted = "what old has no score for did not get worse"
    return result.inconclusive(
        f"it passes only if {counted}; at the worst {worst.reason}"
    )


def _of_sides_that_can_be_right(update: Update, result: GateResult) -> GateResult:
    """Take back a pass where a side is never right: nothing could break, or be kept."""
    gate = result.gate
    statistic = gate.statistic(_known(update, gate))
    of_both = statistic is not None and statistic.roles != ("new",)
    if result.verdict is not Verdict.PASS or not of_both:
        return result
    level = gate.level or update.levels[0]
    scale = update.cells[level].level.scale
    if scale == "agreement":
        return result
    if scale == "score":
        reason = _never_worse(update, level, gate.slice)
    else:
        reason = never_right(update.table(level, gate.slice), where=gate.slice)
    return result if reason is None else result.inconclusive(reason)


def _never_worse(update: Update, level: str, part: str | None) -> str | None:
    """Return why no score of old could fall; `None` where one could."""
    grades = update.panel.grades(update.old_role)[level]
    told = update.cells[level].level
    if told.worst is None:
        return None
    counted = np.repeat(_weights(update, part) > 0, grades.units_per_example())
    scores = grades.scores[counted]
    if (np.abs(scores - told.worst) > told.epsilon).any():
        return None
    where = "" if part is None else f" in {part}"
    return (
        f"old has none of {len(scores)} {told.units} above the worst score "
        f"{told.worst:g}{where}, so none could get worse"
    )


def find(update: Update, gate: Gate, *, errors: bool = False) -> Finding:
    """Return the evidence about what a gate limits.

    Answers that a side lacks are taken at the worst for the gate.

    Args:
        update: Old and new.
        gate: What is demanded.
        errors: Whether OLD's errors are taken at the worst too; else they are wrong.

    Raises:
        SuiteError: What it limits is not there, or cannot have that limit.

    """
    level = gate.level or update.levels[0]
    if level not in update.levels:
        raise SuiteError(
            f"a gate on {gate.quantity} names level {level!r}; there is "
            + ", ".join(update.levels)
            + _withheld(update)
        )
    agrees = update.cells[level].level.scale == "agreement"
    if agrees and gate.named not in AGREEMENT_STATISTICS:
        raise SuiteError(
            f"a gate on {gate.named} needs gold, and there is none: agreement and "
            "churn are all that can be known. Give the right answers (a column gold, "
            "--gold FILE, --suite), or gate on churn"
        )
    if not gate.uses_statistics:
        return _protected(update, gate, level)
    statistic = _demanded(update, gate, level, errors=errors)
    if isinstance(statistic, Undefined):
        return statistic
    negated = gate.is_loss and statistic.better == "higher"
    if statistic.of_cells:
        highest = (gate.side == "at_most") != negated
        found = _of_cells(
            update, statistic, level, gate.slice, highest=highest, errors=errors
        )
    else:
        found = evidence(update.sample(statistic, level, gate.slice), statistic)
    return Negated(inner=found) if negated else found


def _withheld(update: Update) -> str:
    """Return which levels these answers do not have, and why, for a message."""
    if not isinstance(update.task, SuitedTask):
        return ""
    parts = (
        f". Level {x} is withheld: {why}" for x, why in update.task.withheld.items()
    )
    return "".join(parts)


def _known(update: Update, gate: Gate) -> Mapping[str, Statistic]:
    """Return the statistics that a gate may limit, by name."""
    level = gate.level or update.levels[0]
    return of_update(update.statistics_at(level), update.statistics.values())


def _demanded(
    update: Update, gate: Gate, level: str, *, errors: bool
) -> Statistic | Undefined:
    """Return the statistic that a gate limits, or why it proves nothing here."""
    known = _known(update, gate)
    statistic = gate.statistic(known)
    incomplete = any(side.any() for side in _unknown(update, errors=errors))
    if incomplete and (statistic is None or not statistic.of_cells):
        return Undefined(reason=f"{gate.named} has no bound without {_EVERY}")
    if statistic is None:
        raise SuiteError(_not_there(gate, known) + _withheld(update))
    gate.check(known)
    for name, lacking in _lacking(update, statistic, level):
        if any(lacking):
            have = f"old lacks {lacking[0]}, new {lacking[1]}"
            return Undefined(reason=f"{gate.named} needs the {name} of all: {have}")
    return statistic


def _lacking(
    update: Update, statistic: Statistic, level: str
) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield how many values of what a statistic needs old and new lack."""
    for name in statistic.needs:
        old, new = (side.column(name).null_count for side in (update.old, update.new))
        yield name, (old, new)
    if not statistic.of_cells and statistic.name in update.statistics_at(level):
        roles = (update.old_role, update.new_role)
        old, new = (
            int(np.count_nonzero(np.isnan(update.panel.grades(role)[level].values)))
            for role in roles
        )
        yield "score", (old, new)


def _not_there(gate: Gate, known: Mapping[str, Statistic]) -> str:
    if gate.is_loss:
        changes = (one.change_of for one in known.values() if one.change_of)
        there = ", ".join(dict.fromkeys(changes))
        return f"a gate limits the loss of {gate.of!r}; there is {there}"
    return f"a gate limits {gate.quantity!r}; there is {', '.join(known)}"


def _of_cells(
    update: Update,
    statistic: Statistic,
    level: str,
    part: str | None,
    *,
    highest: bool,
    errors: bool,
) -> Evidence:
    """Return the evidence of counted cells, those that nobody knows at the worst."""
    old, new = _unknown_units(update, level, errors=errors)
    if not (old | new).any():
        return evidence(update.table(level, part), statistic)
    if not statistic.is_ratio_of_sums and (old & new).any():
        return Undefined(reason=f"there is no bound without {_BOTH}")
    table = worst_table(
        update,
        level,
        part,
        value=statistic.value,
        highest=highest,
        errors=errors,
    )
    return evidence(table, statistic)


def _protected(update: Update, gate: Gate, level: str) -> ProtectedFinding:
    examples = update.examples
    if gate.ids:
        wanted = pa.array(gate.ids, pa.string())
        absent = pc.invert(pc.is_in(wanted, value_set=examples.ids.combine_chunks()))
        if pc.any(absent).as_py():
            names = wanted.filter(absent).to_pylist()
            raise SuiteError(
                f"{len(names)} protected examples were not compared: {some(names)}"
            )
        mask = bools(pc.is_in(examples.ids, value_set=wanted))
    else:
        assert gate.slice is not None
        mask = slice_mask(examples, gate.slice)
    broken = mask & update.examples_with(level, BROKEN)
    lost = mask & _doubtful(update, level)
    right = update.examples_with(level, KEPT) | update.examples_with(level, BROKEN)
    scores = update.cells[level].level.scale == "score"
    if scores:
        right = ~_doubtful(update, level)
    else:
        lost &= update.examples_with(level, MISSED)
    return ProtectedFinding(
        unknown=tuple(examples.ids.filter(pa.array(lost)).to_pylist()),
        could_break=int(np.count_nonzero(mask & right)),
        scores=scores,
        examples=int(np.count_nonzero(mask)),
        broken=tuple(examples.ids.filter(pa.array(broken)).to_pylist()),
    )


def _noise_of(again: Update, gate: Gate) -> Evidence | None:
    """Return what a gate's statistic is between old and itself.

    `None` where that says nothing: an accuracy is of one run, and protected examples
    are counted one by one.
    """
    statistic = gate.statistic(_known(again, gate))
    if not gate.uses_statistics or (statistic and len(statistic.roles) == 1):
        return None
    found = find(again, gate)
    assert not isinstance(found, ProtectedFinding)
    return found


def _unknown(update: Update, *, errors: bool) -> tuple[Bools, Bools]:
    """Return which answers of old and of new nobody knows; shape (n_examples,).

    Args:
        update: The comparison.
        errors: Whether OLD's errors are unknown answers; else they are wrong ones.

    """
    old = update.old_missing
    return (old | update.old.errors() if errors else old), update.new_missing


def _unknown_units(update: Update, level: str, *, errors: bool) -> tuple[Bools, Bools]:
    """Return the same of a level's units, with those that old has no score for."""
    grades = update.panel.grades(update.old_role)[level]
    sizes = grades.units_per_example()
    old, new = (np.repeat(one, sizes) for one in _unknown(update, errors=errors))
    if errors and update.cells[level].level.scale == "score":
        old = old | np.isnan(grades.scores)
    return old, new


def _doubtful(update: Update, level: str) -> Bools:
    """Return where old made an error or lacks a score; shape (n_examples,)."""
    old, _ = _unknown_units(update, level, errors=True)
    offsets = update.cells[level].offsets
    before = np.concatenate([[0], np.cumsum(old)])
    found = update.old.errors() | (np.diff(before[offsets]) > 0)
    return np.asarray(found & ~update.old_missing, np.bool_)


def worst_table(
    update: Update,
    level: str,
    part: str | None,
    *,
    value: Callable[[Rows], Values],
    highest: bool,
    errors: bool,
) -> FlipTable:
    """Return the counts with unknown answers such that a value is highest, or lowest.

    Args:
        update: The comparison.
        level: Name of the level.
        part: Name of the slice; `None` for all examples.
        value: Of summed counts, shape (..., 5) to (...).
        highest: Whether a high value is bad.
        errors: Whether OLD's errors are unknown answers.

    """
    cells = update.cells[level]
    example = np.repeat(np.arange(len(cells.offsets) - 1), np.diff(cells.offsets))
    weight = _weights(update, part)[example]
    old, new = _unknown_units(update, level, errors=errors)
    changed = cells.changed
    if changed is not None:
        changed = np.where(old | new, highest, changed)
    known = np.bincount(
        cells.codes, np.where(old | new, 0.0, weight), minlength=5
    ).astype(np.float64)
    known[CHANGED] = np.nan if changed is None else weight[changed].sum()
    groups: list[_Group] = list(_groups(cells.codes, old, new))
    if cells.level.scale == "agreement":
        groups = [(old | new, (WORSE, SAME))]
    if cells.level.scale == "score":
        groups = [(old | new, (WORSE, SAME, BETTER))]
    ways = list(product(*(options for _, options in groups)))
    totals = np.tile(known, (len(ways), 1))
    for at, way in enumerate(ways):
        for (units, _), cell in zip(groups, way, strict=True):
            totals[at, cell] += weight[units].sum()
    values = value(totals)
    worst = ways[_first_greatest(values if highest else -values)]
    codes = cells.codes.copy()
    for (units, _), cell in zip(groups, worst, strict=True):
        codes[units] = cell
    return update.counted(level, part, codes, changed)


def _groups(codes: Ints, old: Bools, new: Bools) -> Iterator[_Group]:
    """Yield the units with unknown answers; the cell worst for NEW stands first."""
    old_right, new_right = np.isin(codes, (KEPT, BROKEN)), np.isin(codes, (KEPT, FIXED))
    for units, options in (
        (old & ~new & new_right, (KEPT, FIXED)),
        (old & ~new & ~new_right, (BROKEN, MISSED)),
        (new & ~old & old_right, (BROKEN, KEPT)),
        (new & ~old & ~old_right, (MISSED, FIXED)),
        (old & new, (BROKEN, KEPT, MISSED, FIXED)),
    ):
        if units.any():
            yield units, options


def _weights(update: Update, part: str | None) -> Values:
    """Return how much each example counts; 0 outside the slice."""
    weights, examples = update.weights, update.examples
    found = np.ones(len(examples)) if weights is None else weights
    return found if part is None else found * slice_mask(examples, part)


def _first_greatest(values: Values) -> int:
    """Return where a value is greatest; where it is undefined it is least."""
    return int(np.argmax(np.where(np.isnan(values), -np.inf, values)))
