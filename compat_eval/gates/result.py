"""How a gate was judged."""

from dataclasses import dataclass, replace
from typing import Any

from compat_eval.core.estimate import Estimate, defined
from compat_eval.core.verdict import Verdict
from compat_eval.gates.gate import Gate


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """A gate with what was found and how that was judged.

    Attributes:
        gate: What was demanded.
        estimate: What was found.
        verdict: Pass, fail or inconclusive.
        reason: Why, in one sentence.
        fresh_examples: Size of a fresh sample that would decide an inconclusive
            `certify` gate where the observed rates are true: prove the limit, or the
            breach where the value lies beyond the limit. The old sample must not be
            part of it. `None` where that is not the question, or no number would.
        fresh_power: The chance that it decides.
        p_value: Of the claim that decided: that the limit is kept (`certify`), or
            that it is broken (`detect`, and every failure). `None` without
            statistics.
        alpha: The level at which that claim was judged, after the correction for
            several gates; `None` without statistics.
        bound: The one-sided bound at that level which was held against the limit.
        detectable: The value nearest to the limit that would have failed; of a
            `detect` gate that passed.
        noise_floor: What the quantity is between old and a second run of old;
            `None` where there was none, or it says nothing about the quantity.

    """

    gate: Gate
    estimate: Estimate
    verdict: Verdict
    reason: str
    fresh_examples: int | None = None
    fresh_power: float | None = None
    p_value: float | None = None
    alpha: float | None = None
    bound: float | None = None
    detectable: float | None = None
    noise_floor: Estimate | None = None

    def inconclusive(self, reason: str) -> "GateResult":
        """Return the result as one that proves nothing, for a further reason."""
        return replace(
            self,
            verdict=Verdict.INCONCLUSIVE,
            reason=f"{reason} ({self.reason})",
            fresh_examples=None,
            fresh_power=None,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        gate = self.gate
        return {
            "quantity": gate.quantity,
            "of": gate.of,
            "level": gate.level,
            "slice": gate.slice,
            "semantics": gate.semantics,
            "direction": gate.side,
            "limit": gate.limit,
            "relative": gate.relative,
            "ids": list(gate.ids),
            "estimate": self.estimate.to_dict(),
            "verdict": str(self.verdict),
            "fresh_examples": self.fresh_examples,
            "fresh_power": self.fresh_power,
            "reason": self.reason,
            "p_value": self.p_value,
            "alpha": self.alpha,
            "bound": None if self.bound is None else defined(self.bound),
            "noise_floor": self.noise_floor and self.noise_floor.to_dict(),
            "detectable": None if self.detectable is None else defined(self.detectable),
        }
