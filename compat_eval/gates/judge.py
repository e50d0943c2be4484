"""From evidence to verdicts.

`certify` passes only if the one-sided bound proves that the limit is kept, and fails
only if the other bound proves that it is broken; in between it is inconclusive.
`detect` fails only if the bound proves that the limit is broken. It passes where that
is not proven but could have been, and is inconclusive where no answers to so few
examples (or clusters) could have proven it.

Two families of claims are kept apart, because they are two promises: the chance that
any `pass` of a certifying gate is wrong is at most alpha (the claims that limits are
kept), and so is the chance that any `fail` is wrong (the claims that limits are broken,
one for each gate with statistics). Holm's method runs in each.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from compat_eval.core.estimate import Estimate
from compat_eval.core.statistic import Statistic
from compat_eval.core.verdict import Verdict
from compat_eval.gates.gate import ALONE, LOSS, Correction, Gate, OtherClaims
from compat_eval.gates.result import (
    GateResult,
    ProtectedFinding,
    Unit,
    amount,
    p_text,
    unit_of,
)
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.intervals.evidence import Evidence, Fresh, Negated

Finding: TypeAlias = Evidence | ProtectedFinding
Noise: TypeAlias = Callable[[Gate], Evidence | None]
Known: TypeAlias = Callable[[Gate], Mapping[str, Statistic]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A gate with statistics, and the evidence about its quantity."""

    gate: Gate
    evidence: Evidence
    statistic: Statistic | None = None

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
        what = "a loss beyond" if self._is_change else "a breach of"
        return (
            f"{what} the limit {self.text(self.gate.limit)} is not proven: "
            f"{self.text(self.evidence.value)}, "
            f"{p_text(self.p_broken)} (one-sided, alpha {level:.4g}); "
            f"{self.text(detectable)} would prove one"
        )

    def _cannot_detect(self, detectable: float, level: float) -> str:
        estimate = self.evidence.estimate(1 - 2 * level)
        if not math.isnan(detectable):
            return f"cannot detect a breach: {estimate.reason or 'there is no bound'}"
        return (
            f"cannot detect a breach: with n = {estimate.n} no answers could prove one "
            f"of the limit {self.text(self.gate.limit)} at alpha {level:.4g}; that "
            "takes more examples (or clusters), or fewer gates"
        )

    def _bound_text(self, bound: float, side: str, level: float, word: str) -> str:
        if math.isnan(bound):
            estimate = self.evidence.estimate(1 - 2 * level)
            return estimate.reason or "there is no bound"
        if self.gate.side == "at_least":
            side = "lower" if side == "upper" else "upper"
        return (
            f"the {side} bound {self.text(bound)} (one-sided, alpha {level:.4g}) "
            f"{word} the limit {self.text(self.gate.limit)}"
        )

    def _undefined(self, alpha: float) -> GateResult:
        """Say that nothing is proven about a number that does not exist."""
        estimate = self.evidence.estimate(1 - alpha)
        reason = f"undefined: {estimate.reason}"
        instead = None if self.statistic is None else self.statistic.instead
        if instead is not None:
            reason += (
                f"; a gate on {instead} is defined wherever examples were compared"
            )
        return GateResult(
            gate=self.gate,
            estimate=estimate,
            verdict=Verdict.INCONCLUSIVE,
            reason=reason,
        )

    def within_noise(self, floor: Estimate) -> bool:
        """Whether the limit lies between no difference and that of old from itself.

        A change for noise alone is as often up as down: it counts as far as it is
        proven.
        """
        limit = self.gate.limit
        if self._is_change:
            proven = max(floor.low, -floor.high, 0.0)
            size = abs(floor.value) if math.isnan(floor.low + floor.high) else proven
            return size > abs(limit)
        itself = math.nan if self.statistic is None else self.statistic.of_itself
        if floor.value < itself:
            return floor.value < limit <= itself
        return itself <= limit < floor.value

    def interval_text(self, found: Estimate) -> str:
        """Write a number of the gate's statistic with its interval."""
        if math.isnan(found.value):
            return f"undefined ({found.reason})"
        value, low, high = (
            self.text(number) for number in (found.value, found.low, found.high)
        )
        if math.isnan(found.low + found.high):
            return f"{value} ({found.reason})"
        return f"{value} ({100 * found.confidence:g} % interval {low} to {high})"

    def text(self, value: float) -> str:
        """Write a number in the unit of the gate's statistic."""
        return amount(value, self._unit)

    @property
    def _unit(self) -> Unit:
        return "share" if self.gate.relative else unit_of(self.statistic)

    @property
    def _is_change(self) -> bool:
        known = self.statistic
        return self.gate.quantity == LOSS or bool(known and known.change_of)

    def _oriented(self, value: float) -> float:
        """Return a number of the turned claim as one of the gate's own quantity."""
        return value if self.gate.side == "at_most" else 0.0 - value

    def _turned(self) -> tuple[Evidence, float]:
        """Return the claim as one of "at most", turned round where it is not."""
        if self.gate.side == "at_most":
            return self.evidence, self.gate.limit
        return Negated(inner=self.evidence), -self.gate.limit


def judge(
    gates: Sequence[Gate],
    find: Callable[[Gate], Finding],
    *,
    alpha: float = 0.05,
    correction: Correction = "holm",
    doubts: Sequence[str] = (),
    noise: Noise | None = None,
    known: Known = lambda _: FLIP_STATISTICS,
    others: OtherClaims = ALONE,
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
        known: Returns the statistics among which is the gate's.
        others: The claims of other runs of a release, which share alpha with these.

    """
    found = [find(gate) for gate in gates]
    claims = _claims(gates, found, known)
    certified = {at: claim for at, claim in claims.items() if claim.certifies}
    p_kept = {at: claim.p_kept for at, claim in certified.items()}
    p_broken = {at: claim.p_broken for at, claim in claims.items()}
    kept = _levels(p_kept, others.kept, alpha, correction)
    broken = _levels(p_broken, others.broken, alpha, correction)
    results = []
    for at, (gate, finding) in enumerate(zip(gates, found, strict=True)):
        if isinstance(finding, ProtectedFinding):
            result = _protected(gate, finding, alpha)
        else:
            result = claims[at].result(kept.get(at, alpha), broken[at], alpha=alpha)
        if noise is not None:
            result = _beside_noise(claims.get(at), result, noise(gate), alpha)
        results.append(_doubted(result, doubts))
    return tuple(results)


def claims_of(
    gates: Sequence[Gate], find: Callable[[Gate], Finding], *, known: Known
) -> OtherClaims:
    """Return what a run claims, for other runs that share alpha with it."""
    claims = _claims(gates, [find(gate) for gate in gates], known).values()
    return OtherClaims(
        kept=tuple(claim.p_kept for claim in claims if claim.certifies),
        broken=tuple(claim.p_broken for claim in claims),
    )


def _claims(
    gates: Sequence[Gate], found: Sequence[Finding], known: Known
) -> dict[int, Claim]:
    """Return the claims of gates with statistics, by the gate's place."""
    return {
        at: Claim(gate=gate, evidence=finding, statistic=gate.statistic(known(gate)))
        for at, (gate, finding) in enumerate(zip(gates, found, strict=True))
        if not isinstance(finding, ProtectedFinding)
    }


def _levels(
    own: Mapping[int, float],
    others: Sequence[float],
    alpha: float,
    correction: Correction,
) -> dict[int, float]:
    found = levels([*own.values(), *others], alpha=alpha, correction=correction)
    return dict(zip(own, found, strict=False))


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
    claim: Claim | None, result: GateResult, evidence: Evidence | None, alpha: float
) -> GateResult:
    """Say how large the noise is; take back a pass whose limit lies within it."""
    if evidence is None or claim is None:
        said = "--aa says nothing about it"
        return replace(result, reason=f"{result.reason}; {said}")
    floor = evidence.estimate(1 - alpha)
    result = replace(result, noise_floor=floor)
    said = f"old against itself: {claim.interval_text(floor)}"
    if result.verdict is Verdict.PASS and claim.within_noise(floor):
        limit = claim.text(result.gate.limit)
        return result.inconclusive(f"the limit {limit} lies within the noise; {said}")
    return replace(result, reason=f"{result.reason}; {said}")


def holds(result: GateResult, evidence: Evidence) -> bool:
    """Whether a pass or failure would be the same on other evidence of its gate."""
    claim, level = Claim(gate=result.gate, evidence=evidence), result.alpha or 0.0
    passed = result.verdict is Verdict.PASS
    if math.isnan(evidence.value):
        return False
    if passed and claim.certifies:
        return claim.p_kept <= level
    return passed != (claim.p_broken <= level)


def levels(
    p_values: Sequence[float], *, alpha: float, correction: Correction
) -> list[float]:
    """Return the level at which each claim of a family is judged.

    A claim is proven exactly where its p-value is at most its level. Holm judges the
    smallest of m at alpha / m, the next at alpha / (m − 1), and from the first claim
    that is not proven on, all at the level at which it stopped.

    Examples:
        >>> levels([0.04, 0.01, 0.03], alpha=0.06, correction="holm")
        [0.06, 0.02, 0.03]
        >>> levels([0.01, 0.04, 0.04], alpha=0.06, correction="holm")
        [0.02, 0.03, 0.03]

    """
    if correction == "none":
        return [alpha] * len(p_values)
    found = [alpha] * len(p_values)
    level, stopped = 0.0, False
    for rank, at in enumerate(np.argsort(p_values, kind="stable")):
        if not stopped:
            level = alpha / (len(p_values) - rank)
            stopped = p_values[at] > level
        found[at] = level
    return found
