"""Hand each gate its evidence, and judge."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.comparison.demands import Demands
from compat_eval.comparison.measured import Measured
from compat_eval.comparison.slices import slice_mask
from compat_eval.core.errors import SuiteError, some
from compat_eval.core.table import bools
from compat_eval.gates import Finding, Gate, GateResult, ProtectedFinding, judge
from compat_eval.metrics.flips import BROKEN, QUANTITIES
from compat_eval.stats.evidence import Evidence, Negated
from compat_eval.stats.flips import evidence, relative_change

_NOT_OF_TWO_RUNS = frozenset({"accuracy_old", "accuracy_new", "protected"})


def judged(
    measured: Measured,
    demands: Demands,
    *,
    doubts: Sequence[str],
    again: Measured | None,
) -> tuple[GateResult, ...]:
    """Judge every demand.

    Args:
        measured: Old and new.
        demands: The gates.
        doubts: Why no gate may pass.
        again: Old and its second run, where there was one.

    Raises:
        SuiteError: A gate names a metric, level, slice or example that is not there.

    """
    return judge(
        demands.all_gates(),
        lambda gate: find(measured, gate),
        alpha=round(1 - demands.confidence, 12),
        correction=demands.correction,
        doubts=doubts,
        noise=None if again is None else lambda gate: _noise_of(again, gate),
    )


def find(measured: Measured, gate: Gate) -> Finding:
    """Return the evidence about what a gate limits."""
    level = gate.level or measured.levels[0]
    if level not in measured.levels:
        raise SuiteError(
            f"a gate on {gate.quantity} names level {level!r}; there is "
            + ", ".join(measured.levels)
        )
    if gate.quantity == "protected":
        return _protected(measured, gate, level)
    if gate.quantity == "loss":
        return _loss(measured, gate, level)
    table = measured.table(level, gate.slice)
    if gate.relative and gate.quantity == "accuracy_change":
        return relative_change(table)
    return evidence(table, QUANTITIES[gate.quantity])


def _protected(measured: Measured, gate: Gate, level: str) -> ProtectedFinding:
    examples = measured.pairing.examples
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
    broken = mask & measured.examples_with(level, BROKEN)
    return ProtectedFinding(
        examples=int(np.count_nonzero(mask)),
        broken=tuple(examples.ids.filter(pa.array(broken)).to_pylist()),
    )


def _loss(measured: Measured, gate: Gate, level: str) -> Evidence:
    """Return the evidence about a change for the worse: positive is worse."""
    if gate.of == "accuracy":
        table = measured.table(level, gate.slice)
        change = (
            relative_change(table)
            if gate.relative
            else evidence(table, QUANTITIES["accuracy_change"])
        )
        return Negated(inner=change)
    if gate.of is None or gate.of not in measured.metrics:
        known = ", ".join(("accuracy", *measured.metrics))
        raise SuiteError(f"a gate limits the loss of {gate.of!r}; there is {known}")
    paired = measured.metric(gate.of, gate.slice)
    moved = paired.relative_change() if gate.relative else paired.change()
    better = measured.metrics[gate.of].better
    return Negated(inner=moved) if better == "higher" else moved


def _noise_of(again: Measured, gate: Gate) -> Evidence | None:
    """Return what a gate's quantity is between old and itself.

    `None` where that says nothing: an accuracy is of one run, and protected examples
    are counted one by one.
    """
    if gate.quantity in _NOT_OF_TWO_RUNS:
        return None
    found = find(again, gate)
    assert not isinstance(found, ProtectedFinding)
    return found
