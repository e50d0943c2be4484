"""What one gate claims, and what its evidence proves of it."""

import math
from dataclasses import dataclass

from compat_eval.core.verdict import Verdict
from compat_eval.gates.gate import Gate
from compat_eval.gates.result import GateResult
from compat_eval.stats.evidence import Evidence, Negated, Undefined


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
            return self._made(Verdict.FAIL, broken, alpha, word="breaks")
        if not self.certifies:
            return self._made(
                Verdict.PASS, broken, alpha, word="is not proven to break"
            )
        if self.p_kept <= kept:
            return self._made(Verdict.PASS, kept, alpha, word="keeps")
        return self._made(
            Verdict.INCONCLUSIVE, kept, alpha, word="is not proven to keep"
        )

    def _made(
        self, verdict: Verdict, level: float, alpha: float, *, word: str
    ) -> GateResult:
        about_kept = self.certifies and verdict is not Verdict.FAIL
        evidence, limit = self._turned()
        bound = evidence.upper(level) if about_kept else evidence.lower(level)
        name = "upper" if about_kept == (self.gate.side == "at_most") else "lower"
        bound = bound if self.gate.side == "at_most" else 0.0 - bound
        needs, why = None, None
        if verdict is Verdict.INCONCLUSIVE:
            needs, why = evidence.further_examples(limit, level)
        reason = (
            f"the {name} bound {bound:.4g} (one-sided, alpha {level:.4g}) "
            f"{word} the limit {self.gate.limit:.4g}"
        )
        if math.isnan(bound):
            reason = self.evidence.estimate(1 - alpha).reason or "there is no bound"
        return GateResult(
            gate=self.gate,
            estimate=self.evidence.estimate(1 - alpha),
            verdict=verdict,
            reason=reason if why is None or why == reason else f"{reason}; {why}",
            needs_examples=needs,
            p_value=self.p_kept if about_kept else self.p_broken,
            alpha=level,
            bound=bound,
        )

    def _undefined(self, alpha: float) -> GateResult:
        """Say that nothing can be proven about a number that does not exist.

        Where nothing broke there is no breach to detect either.
        """
        estimate = self.evidence.estimate(1 - alpha)
        reason = f"undefined: {estimate.reason}"
        verdict = Verdict.INCONCLUSIVE
        if isinstance(self.evidence, Undefined) and self.evidence.nothing_broke:
            reason += ", so nothing broke"
            if self.certifies:
                reason += "; a share of nothing proves no limit: gate on nfr for that"
            else:
                verdict = Verdict.PASS
        return GateResult(
            gate=self.gate, estimate=estimate, verdict=verdict, reason=reason
        )

    def _turned(self) -> tuple[Evidence, float]:
        """Return the claim as one of "at most", turned round where it is not."""
        if self.gate.side == "at_most":
            return self.evidence, self.gate.limit
        return Negated(inner=self.evidence), -self.gate.limit
