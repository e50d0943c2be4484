"""Hand each gate its evidence, and judge."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.comparison.demands import Demands
from compat_eval.comparison.slices import slice_mask
from compat_eval.comparison.update import Update
from compat_eval.comparison.worst_case import unknown, worst_table
from compat_eval.core.errors import SuiteError, some
from compat_eval.core.grades import BROKEN, KEPT, MISSED
from compat_eval.core.table import bools
from compat_eval.core.verdict import Verdict
from compat_eval.gates import Finding, Gate, GateResult, ProtectedFinding, judge
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.intervals.evidence import Evidence, Negated, Undefined

_EVERY, _BOTH = "every answer of both sides", "one answer to each example"
_OF_ONE_SIDE = frozenset({"accuracy_new", "protected"})
_NOT_OF_TWO_RUNS = frozenset({"accuracy_old", "accuracy_new", "protected"})


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
    )
    found = tuple(_of_sides_that_can_be_right(update, result) for result in found)
    if not update.old.errors().any():
        return found
    worst = judge(
        gates,
        lambda gate: find(update, gate, errors=True),
        alpha=alpha,
        correction=demands.correction,
    )
    return tuple(
        _with_errors_at_worst(one, other)
        for one, other in zip(found, worst, strict=True)
    )


def _with_errors_at_worst(result: GateResult, worst: GateResult) -> GateResult:
    """Take back a pass that rests on OLD's errors being wrong answers."""
    if result.verdict is not Verdict.PASS or worst.verdict is Verdict.PASS:
        return result
    return result.inconclusive(
        "it passes only if old's errors count as wrong answers; at the worst "
        f"{worst.reason}"
    )


def _of_sides_that_can_be_right(update: Update, result: GateResult) -> GateResult:
    """Take back a pass where a side is never right: nothing could break, or be kept."""
    gate = result.gate
    if result.verdict is not Verdict.PASS or gate.quantity in _OF_ONE_SIDE:
        return result
    table = update.table(gate.level or update.levels[0], gate.slice)
    reason = never_right(table, where=gate.slice)
    return result if reason is None else result.inconclusive(reason)


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


def find(update: Update, gate: Gate, *, errors: bool = False) -> Finding:
    """Return the evidence about what a gate limits.

    Answers that a side lacks are taken at the worst for the gate.

    Args:
        update: Old and new.
        gate: What is demanded.
        errors: Whether OLD's errors are taken at the worst too; else they are wrong.

    """
    level = gate.level or update.levels[0]
    if level not in update.levels:
        raise SuiteError(
            f"a gate on {gate.quantity} names level {level!r}; there is "
            + ", ".join(update.levels)
        )
    if gate.quantity == "protected":
        return _protected(update, gate, level)
    if gate.quantity == "loss":
        return _loss(update, gate, level, errors=errors)
    return _of_counts(update, gate, level, gate.quantity, errors=errors)


def _of_counts(
    update: Update, gate: Gate, level: str, name: str, *, errors: bool
) -> Evidence:
    """Return the evidence about a quantity of the counts, or its relative change."""
    statistic = FLIP_STATISTICS[name]
    if gate.relative:
        assert statistic.relative is not None
        statistic = statistic.relative
    old, new = unknown(update, errors=errors)
    if (old | new).any():
        if not statistic.is_ratio_of_sums and (old & new).any():
            return Undefined(reason=f"there is no bound without {_BOTH}")
        table = worst_table(
            update,
            level,
            gate.slice,
            value=statistic.value,
            highest=(gate.side == "at_most") != (gate.quantity == "loss"),
            errors=errors,
        )
    else:
        table = update.table(level, gate.slice)
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
    lost = mask & update.old.errors() & update.examples_with(level, MISSED)
    right = update.examples_with(level, KEPT) | update.examples_with(level, BROKEN)
    return ProtectedFinding(
        unknown=tuple(examples.ids.filter(pa.array(lost)).to_pylist()),
        could_break=int(np.count_nonzero(mask & right)),
        examples=int(np.count_nonzero(mask)),
        broken=tuple(examples.ids.filter(pa.array(broken)).to_pylist()),
    )


def _loss(update: Update, gate: Gate, level: str, *, errors: bool) -> Evidence:
    """Return the evidence about a change for the worse: positive is worse."""
    if gate.of == "accuracy":
        return Negated(
            inner=_of_counts(update, gate, level, "accuracy_change", errors=errors)
        )
    if any(side.any() for side in unknown(update, errors=errors)):
        return Undefined(reason=f"{gate.of} has no bound without {_EVERY}")
    if gate.of is None or gate.of not in update.statistics:
        known = ", ".join(("accuracy", *update.statistics))
        raise SuiteError(f"a gate limits the loss of {gate.of!r}; there is {known}")
    for name in update.statistics[gate.of].needs:
        sides = (update.old, update.new)
        lacking = [side.column(name).null_count for side in sides]
        if any(lacking):
            have = f"old lacks {lacking[0]}, new {lacking[1]}"
            return Undefined(reason=f"{gate.of} needs the {name} of all: {have}")
    change = update.statistics[gate.of].change()
    if gate.relative:
        assert change.relative is not None
        change = change.relative
    moved = evidence(update.rows(gate.of, gate.slice), change)
    return Negated(inner=moved) if change.better == "higher" else moved


def _noise_of(again: Update, gate: Gate) -> Evidence | None:
    """Return what a gate's quantity is between old and itself.

    `None` where that says nothing: an accuracy is of one run, and protected examples
    are counted one by one.
    """
    if gate.quantity in _NOT_OF_TWO_RUNS:
        return None
    found = find(again, gate)
    assert not isinstance(found, ProtectedFinding)
    return found
