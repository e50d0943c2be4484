"""What is demanded of an update, and whether the evidence proves it."""

from compat_eval.gates.gate import ALONE, Demands, Gate, OtherClaims, of_update
from compat_eval.gates.judge import Finding, claims_of, holds, judge
from compat_eval.gates.result import GateResult, ProtectedFinding

__all__ = [
    "ALONE",
    "Demands",
    "Finding",
    "Gate",
    "GateResult",
    "OtherClaims",
    "ProtectedFinding",
    "claims_of",
    "holds",
    "judge",
    "of_update",
]
