"""What is demanded of an update, and whether the evidence proves it."""

from compat_eval.gates.gate import Demands, Gate, of_update
from compat_eval.gates.judge import Finding, holds, judge
from compat_eval.gates.result import GateResult, ProtectedFinding

__all__ = [
    "Demands",
    "Finding",
    "Gate",
    "GateResult",
    "ProtectedFinding",
    "holds",
    "judge",
    "of_update",
]
