"""From evidence to verdicts.

`certify` passes only if the one-sided bound proves that the limit is kept, and fails
only if the other bound proves that it is broken; in between it is inconclusive.
`detect` fails only if the bound proves that the limit is broken. It passes where that
is not proven but could have been, and is inconclusive where no answers to so few
examples (or clusters) could have proven it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from compat_eval.core.estimate import Estimate
from compat_eval.core.verdict import Verdict
from compat_eval.gates.amounts import Unit, amount, unit
from compat_eval.gates.claim import Claim
from compat_eval.gates.family import Correction, levels
from compat_eval.gates.gate import CHANGES, Gate
from compat_eval.gates.protected import ProtectedFinding
from compat_eval.gates.result import GateResult
from compat_eval.statistics.intervals.evidence import Evidence

Finding: TypeAlias = Evidence | ProtectedFinding
Noise: TypeAlias = Callable[[Gate], Evidence | None]
_OF_SAMENESS = frozenset({"btc", "bec"})


def judge(
    gates: Sequence[Gate],
    find: Callable[[Gate], Finding],
    *,
    alpha: float = 0.05,
    correction: Correction = "holm",
    doubts: Sequence[str] = (),
    noise: Noise | None = None,
) -> tuple[GateResult, ...]:
    """Judge the gates of a run, each in the light of all.

    Args:
        gates: What is demanded.
        find: Returns the evidence about a gate's quantity (for a loss: positive is
            worse), or what became of its protected examples.
        alpha: The allowed chance that any verdict of one kind is wrong.
        correction: How gates share it: `holm`, or `none` (each has all of it).
        doubts: Why no gate of this run may pass, in clauses; a failure stays one.
        noise: Returns the evidence about a gate's quantity between old and a second
            run of old; `None` for a quantity about which that says nothing.

    """
    found = [find(gate) for gate in gates]
    claims = {
        at: Claim(gate=gate, evidence=finding)
        for at, (gate, finding) in enumerate(zip(gates, found, strict=True))
        if not isinstance(finding, ProtectedFinding)
    }
    certified = [at for at, claim in claims.items() if claim.certifies]
    kept = _levels(
        certified, [claims[at].p_kept for at in certified], alpha, correction
    )
    broken = _levels(
        list(claims), [c.p_broken for c in claims.values()], alpha, correction
    )
    results = []
    for at, (gate, finding) in enumerate(zip(gates, found, strict=True)):
        if isinstance(finding, ProtectedFinding):
            result = _protected(gate, finding, alpha)
        else:
            result = claims[at].result(kept.get(at, alpha), broken[at], alpha=alpha)
        if noise is not None:
            result = _beside_noise(result, noise(gate), alpha)
        results.append(_doubted(result, doubts))
    return tuple(results)


def _levels(
    at: Sequence[int], p_values: Sequence[float], alpha: float, correction: Correction
) -> dict[int, float]:
    found = levels(p_values, alpha=alpha, correction=correction)
    return dict(zip(at, found, strict=True))


def _protected(gate: Gate, finding: ProtectedFinding, alpha: float) -> GateResult:
    verdict, reason = finding.verdict()
    return GateResult(
        gate=gate, estimate=finding.estimate(1 - alpha), verdict=verdict, reason=reason
    )


def _doubted(result: GateResult, doubts: Sequence[str]) -> GateResult:
    """Take back a pass of a run that is in doubt."""
    if not doubts or result.verdict is not Verdict.PASS:
        return result
    return result.inconclusive("; ".join(doubts))


def _beside_noise(
    result: GateResult, evidence: Evidence | None, alpha: float
) -> GateResult:
    """Say how large the noise is; take back a pass whose limit lies within it."""
    if evidence is None:
        said = "--aa says nothing about it"
        return replace(result, reason=f"{result.reason}; {said}")
    floor = evidence.estimate(1 - alpha)
    result = replace(result, noise_floor=floor)
    said = f"old against itself: {_written(result.gate, floor)}"
    if result.verdict is Verdict.PASS and _within_noise(result.gate, floor):
        limit = amount(result.gate.limit, _unit(result.gate))
        return result.inconclusive(f"the limit {limit} lies within the noise; {said}")
    return replace(result, reason=f"{result.reason}; {said}")


def _within_noise(gate: Gate, floor: Estimate) -> bool:
    """Whether the limit lies between no difference and that of old from itself.

    A change for noise alone is as often up as down: it counts as far as it is proven.
    """
    if gate.quantity in CHANGES:
        proven = max(floor.low, -floor.high, 0.0)
        size = abs(floor.value) if math.isnan(floor.low + floor.high) else proven
        return size > abs(gate.limit)
    if gate.quantity in _OF_SAMENESS:
        return floor.value < gate.limit <= 1
    return 0 <= gate.limit < floor.value


def _written(gate: Gate, floor: Estimate) -> str:
    if math.isnan(floor.value):
        return f"undefined ({floor.reason})"
    value, low, high = (
        amount(number, _unit(gate)) for number in (floor.value, floor.low, floor.high)
    )
    if math.isnan(floor.low + floor.high):
        return f"{value} ({floor.reason})"
    return f"{value} ({100 * floor.confidence:g} % interval {low} to {high})"


def _unit(gate: Gate) -> Unit:
    return unit(gate.quantity, of=gate.of, relative=gate.relative)
