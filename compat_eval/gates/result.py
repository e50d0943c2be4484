"""What was found about a gate, how it was judged, and how its numbers are written."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from compat_eval.core.errors import some
from compat_eval.core.estimate import Estimate, defined, undefined
from compat_eval.core.statistic import Statistic
from compat_eval.core.verdict import Verdict
from compat_eval.gates.gate import PROTECTED, Gate, limited
from compat_eval.statistics.families.flips import FLIP_STATISTICS

Unit: TypeAlias = Literal["share", "points", "plain"]
_SUFFIXES: dict[Unit, str] = {"share": " %", "points": " points", "plain": ""}
_SMALL_P = 0.001


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedFinding:
    """What became of protected examples: no limit, no statistics.

    Attributes:
        examples: How many protected examples were compared.
        broken: Ids of those that broke (with several units: any of them).
        unknown: Ids of those that new has wrong, and in which old made an error.
        could_break: How many of them old has right; `None` where nobody knows.
        scores: Whether they have scores, rather than being right or wrong: broken are
            those that got worse then, and unknown those that old has no score for.

    """

    examples: int
    broken: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    could_break: int | None = None
    scores: bool = False

    def estimate(self, confidence: float) -> Estimate:
        """Return the broken share; it has no interval, for it is no sample."""
        if not self.examples:
            reason = "no protected example was compared"
            return undefined(reason, confidence=confidence, method="count")
        return Estimate(
            value=len(self.broken) / self.examples,
            low=math.nan,
            high=math.nan,
            confidence=confidence,
            method="count",
            n=self.examples,
            reason="counted, not estimated: protected examples are no sample",
        )

    def verdict(self) -> tuple[Verdict, str]:
        """Fail with the first broken example, pass without; and say why."""
        if self.broken:
            count = f"{len(self.broken)} of {self.examples} protected examples broke"
            return Verdict.FAIL, f"{count}: {some(self.broken)}"
        if not self.examples:
            return Verdict.INCONCLUSIVE, "no protected example was compared"
        if self.unknown:
            count = f"{len(self.unknown)} of {self.examples} protected examples"
            reason = f"old has errors in place of answers to {count} that new has wrong"
            if self.scores:
                reason = f"old has no score for {count}"
            return Verdict.INCONCLUSIVE, f"{reason}: {some(self.unknown)}"
        if self.could_break == 0:
            reason = f"old has none of {self.examples} protected examples right"
            return Verdict.INCONCLUSIVE, f"{reason}, so none could break"
        return Verdict.PASS, f"none of {self.examples} protected examples broke"


def unit(
    quantity: str,
    *,
    of: str | None = None,
    relative: bool = False,
    known: Mapping[str, Statistic] = FLIP_STATISTICS,
) -> Unit:
    """Return how what a gate limits is written, among statistics by name.

    Examples:
        >>> unit("nfr"), unit("loss", of="accuracy"), unit("loss", of="macro_f1")
        ('share', 'points', 'plain')

    """
    if relative or quantity == PROTECTED:
        return "share"
    return unit_of(limited(known, quantity, of=of))


def unit_of(statistic: Statistic | None) -> Unit:
    """Return how a statistic is written; plain where it is not known."""
    if statistic is None or statistic.unit not in ("fraction", "points"):
        return "plain"
    return "share" if statistic.unit == "fraction" else "points"


def amount(value: float, unit: Unit) -> str:
    """Write a number to four digits, with its unit.

    Examples:
        >>> amount(0.00604, "share"), amount(-0.006, "points"), amount(1.2, "plain")
        ('0.604 %', '−0.6 points', '1.2')

    """
    shown = value if unit == "plain" else 100 * value
    sign = "−" if shown < 0 else "+" if unit == "points" and shown > 0 else ""
    return f"{sign}{abs(shown):.4g}{_SUFFIXES[unit]}"


def p_text(p: float) -> str:
    """Write a p-value.

    Examples:
        >>> p_text(0.0623), p_text(1e-5)
        ('p = 0.062', 'p < 0.001')

    """
    return f"p < {_SMALL_P:g}" if p < _SMALL_P else f"p = {p:.2g}"
