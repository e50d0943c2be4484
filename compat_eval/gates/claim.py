"""What one gate claims, and what its evidence proves of it."""

import math
from dataclasses import dataclass

from compat_eval.core.verdict import Verdict
from compat_eval.gates.amounts import amount, p_text, unit
from compat_eval.gates.gate import CHANGES, Gate
from compat_eval.gates.result import GateResult
from compat_eval.statistics.intervals.evidence import Evidence, Fresh, Negated


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A gate with statistics, and the evidence about its quantity."""

    gate: Gate
    evidence: Evidence

    @property
    def certifies(self) -> bool:
        """Whether the gate passes only on proof."""
        return self.gate.semantics == "certify"

    @property
    def p_kept(self) -> float:
        """P-value of the claim that the limit is kept; small is proof."""
        evidence, limit = self._turned()
        return evidence.p_above(limit)

    @property
    def p_broken(self) -> float:
        """P-value of the claim that the limit is broken; small is proof."""
        evidence, limit = self._turned()
        return evidence.p_at_most(limit)

    def result(self, kept: float, broken: float, *, alpha: float) -> GateResult:
        """Judge at the level of each claim.

        Args:
            kept: Level at which it is judged whether the limit is kept.
            broken: Level at which it is judged whether the limit is broken.
            alpha: Level of the run; the shown interval has confidence 1 − alpha.

        """
        if math.isnan(self.evidence.value):
            return self._undefined(alpha)
        if self.p_broken <= broken:
            return self._about_breach(Verdict.FAIL, broken, alpha)
        if self.certifies:
            return self._about_proof(kept, broken, alpha)
        return self._about_breach(Verdict.PASS, broken, alpha)

    def _about_proof(self, level: float, broken: float, alpha: float) -> GateResult:
        """Pass where the limit is proven to be kept; certify's question."""
        bound = self._oriented(self._turned()[0].upper(level))
        fresh = Fresh()
        if self.p_kept <= level and not math.isnan(bound):
            verdict, word = Verdict.PASS, "keeps"
        else:
            verdict, word = Verdict.INCONCLUSIVE, "does not keep"
            fresh = self._fresh(level, broken)
        reason = self._bound_text(bound, "upper", level, word)
        if fresh.reason and fresh.reason not in reason:
            reason = f"{reason}; {fresh.reason}"
        return GateResult(
            gate=self.gate,
            estimate=self.evidence.estimate(1 - alpha),
            verdict=verdict,
            reason=reason,
            fresh_examples=fresh.examples,
            fresh_power=None if fresh.examples is None else fresh.power,
            p_value=self.p_kept,
            alpha=level,
            bound=bound,
        )

    def _fresh(self, kept: float, broken: float) -> Fresh:
        """Return the fresh sample that would decide, if what was observed is true."""
        evidence, limit = self._turned()
        if evidence.value > limit:
            return evidence.fresh_examples(limit, broken, side="at_least")
        return evidence.fresh_examples(limit, kept)

    def _about_breach(self, verdict: Verdict, level: float, alpha: float) -> GateResult:
        """Fail where a breach is proven, pass where it is not but could have been."""
        evidence, limit = self._turned()
        bound = self._oriented(evidence.lower(level))
        detectable = math.nan
        if verdict is Verdict.FAIL:
            reason = self._bound_text(bound, "lower", level, "breaks")
        else:
            detectable = self._oriented(evidence.detectable(limit, level))
            if math.isnan(bound) or math.isnan(detectable):
                verdict = Verdict.INCONCLUSIVE
                reason = self._cannot_detect(detectable, level)
            else:
                reason = self._not_proven(detectable, level)
        return GateResult(
            gate=self.gate,
            estimate=self.evidence.estimate(1 - alpha),
            verdict=verdict,
            reason=reason,
            p_value=self.p_broken,
            alpha=level,
            bound=bound,
            detectable=detectable,
        )

    def _not_proven(self, detectable: float, level: float) -> str:
        what = "a loss beyond" if self.gate.quantity in CHANGES else "a breach of"
        return (
            f"{what} the limit {self._text(self.gate.limit)} is not proven: "
            f"{self._text(self.evidence.value)}, "
            f"{p_text(self.p_broken)} (one-sided, alpha {level:.4g}); "
            f"{self._text(detectable)} could have been"
        )

    def _cannot_detect(self, detectable: float, level: float) -> str:
        estimate = self.evidence.estimate(1 - 2 * level)
        if not math.isnan(detectable):
            return f"cannot detect a breach: {estimate.reason or 'there is no bound'}"
        return (
            f"cannot detect a breach: with n = {estimate.n} no answers could prove one "
            f"of the limit {self._text(self.gate.limit)} at alpha {level:.4g}; that "
            "takes more examples (or clusters), or fewer gates"
        )

    def _bound_text(self, bound: float, side: str, level: float, word: str) -> str:
        if math.isnan(bound):
            estimate = self.evidence.estimate(1 - 2 * level)
            return estimate.reason or "there is no bound"
        if self.gate.side == "at_least":
            side = "lower" if side == "upper" else "upper"
        return (
            f"the {side} bound {self._text(bound)} (one-sided, alpha {level:.4g}) "
            f"{word} the limit {self._text(self.gate.limit)}"
        )

    def _undefined(self, alpha: float) -> GateResult:
        """Say that nothing is proven about a number that does not exist."""
        estimate = self.evidence.estimate(1 - alpha)
        reason = f"undefined: {estimate.reason}"
        if self.gate.quantity in ("nfi", "bec", "relative_nfr"):
            reason += "; a gate on nfr is defined wherever examples were compared"
        return GateResult(
            gate=self.gate,
            estimate=estimate,
            verdict=Verdict.INCONCLUSIVE,
            reason=reason,
        )

    def _text(self, value: float) -> str:
        gate = self.gate
        return amount(value, unit(gate.quantity, of=gate.of, relative=gate.relative))

    def _oriented(self, value: float) -> float:
        """Return a number of the turned claim as one of the gate's own quantity."""
        return value if self.gate.side == "at_most" else 0.0 - value

    def _turned(self) -> tuple[Evidence, float]:
        """Return the claim as one of "at most", turned round where it is not."""
        if self.gate.side == "at_most":
            return self.evidence, self.gate.limit
        return Negated(inner=self.evidence), -self.gate.limit


def holds(result: GateResult, evidence: Evidence) -> bool:
    """Whether a pass or failure would be the same on other evidence of its gate."""
    claim, level = Claim(gate=result.gate, evidence=evidence), result.alpha or 0.0
    passed = result.verdict is Verdict.PASS
    if math.isnan(evidence.value):
        return False
    if passed and claim.certifies:
        return claim.p_kept <= level
    return passed != (claim.p_broken <= level)
