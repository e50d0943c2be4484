"""What is demanded of an update, and whether the evidence proves it."""

from compat_eval.gates.gate import ALONE, Demands, Gate, OtherClaims, of_update
from compat_eval.gates.judge import Finding, claims_of, holds, judge
from compat_eval.gates.release import (
    Decision,
    Outcome,
    PooledGate,
    ReleaseVerdict,
    SuiteOutcome,
    Tier,
    decide,
    pooled_gate,
)
from compat_eval.gates.result import GateResult, ProtectedFinding

__all__ = [
    "ALONE",
    "Decision",
    "Demands",
    "Finding",
    "Gate",
    "GateResult",
    "OtherClaims",
    "Outcome",
    "PooledGate",
    "ProtectedFinding",
    "ReleaseVerdict",
    "SuiteOutcome",
    "Tier",
    "claims_of",
    "decide",
    "holds",
    "judge",
    "of_update",
    "pooled_gate",
]
