"""What is demanded of an update, and whether the evidence proves it."""

from compat_eval.gates.claim import holds
from compat_eval.gates.gate import Gate
from compat_eval.gates.judge import Finding, judge
from compat_eval.gates.protected import ProtectedFinding
from compat_eval.gates.result import GateResult

__all__ = ["Finding", "Gate", "GateResult", "ProtectedFinding", "holds", "judge"]
