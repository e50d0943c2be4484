"""From evidence to verdicts.

`certify` passes only if the one-sided bound proves that the limit is kept, and fails
only if the other bound proves that it is broken; in between it is inconclusive.
`detect` fails only if the bound proves that the limit is broken. It passes where that
is not proven but could have been, and is inconclusive where no answers to so few
examples (or clusters) could have proven it.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from compat_eval.core.verdict import Verdict
from compat_eval.gates.claim import Claim
from compat_eval.gates.family import Correction, levels
from compat_eval.gates.gate import Gate
from compat_eval.gates.protected import ProtectedFinding
from compat_eval.gates.result import GateResult
from compat_eval.stats.evidence import Evidence

Finding: TypeAlias = Evidence | ProtectedFinding
Floor: TypeAlias = Callable[[Gate], float | None]

_NOT_A_COMPARISON = frozenset({"accuracy_old", "accuracy_new"})


def judge(
    gates: Sequence[Gate],
    find: Callable[[Gate], Finding],
    *,
    alpha: float = 0.05,
    correction: Correction = "holm",
    doubts: Sequence[str] = (),
    noise_floor: Floor | None = None,
) -> tuple[GateResult, ...]:
    """Judge the gates of a run, each in the light of all.

    Args:
        gates: What is demanded.
        find: Returns the evidence about a gate's quantity (for a loss: positive is
            worse), or what became of its protected examples.
        alpha: The allowed chance that any verdict of one kind is wrong.
        correction: How gates share it: `holm`, or `none` (each has all of it).
        doubts: Why no gate of this run may pass, in clauses; a failure stays one.
        noise_floor: Returns the value that a gate's quantity has when old is
            compared with itself; `None` where that is not known.

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
            result = _above_noise(result, noise_floor)
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


def _above_noise(result: GateResult, noise_floor: Floor | None) -> GateResult:
    """Take back a verdict about a limit that old against itself would break."""
    gate = result.gate
    floor = None if noise_floor is None else noise_floor(gate)
    if floor is None or gate.quantity in _NOT_A_COMPARISON:
        return result
    if gate.quantity in ("accuracy_change", "loss"):
        floor = abs(floor) if gate.side == "at_most" else -abs(floor)
    hopeless = floor > gate.limit if gate.side == "at_most" else floor < gate.limit
    if not hopeless:
        return result
    return result.inconclusive(
        f"the limit {gate.limit:.4g} lies beyond the noise floor: old against itself "
        f"already shows {floor:.4g}"
    )
