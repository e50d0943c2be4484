"""Evidence about the change in accuracy of two models on the same units."""

import math
from dataclasses import dataclass, replace

from scipy import special

from compat_eval.core.estimate import Estimate, undefined
from compat_eval.statistics.intervals import melded
from compat_eval.statistics.intervals.evidence import (
    MOST_EXAMPLES,
    POWER,
    TOO_MANY,
    Fresh,
    Side,
    first_proven,
    kept,
    unreachable,
)
from compat_eval.statistics.intervals.paired import newcombe


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEvidence:
    """Newcombe's paired interval to show, melded exact bounds to decide.

    The four counts may be fractional where an effective sample size is used.

    Attributes:
        kept: Units that both have right.
        broken: Units that only old has right.
        fixed: Units that only new has right.
        missed: Units that neither has right.
        n: How many independent pieces of evidence to report.
        examples: How many examples gave this evidence.
        undefined_when: The reason why there is no change, of nothing.
        method: Name of the interval.
        note: A remark for the report.

    """

    kept: float
    broken: float
    fixed: float
    missed: float
    n: int
    examples: int
    undefined_when: str
    method: str = "newcombe"
    note: str | None = None

    @property
    def units(self) -> float:
        """How many units, or what they are worth."""
        return self.kept + self.broken + self.fixed + self.missed

    @property
    def value(self) -> float:
        """New's accuracy minus old's; nan of nothing."""
        return (self.fixed - self.broken) / self.units if self.units > 0 else math.nan

    def estimate(self, confidence: float = 0.95) -> Estimate:
        """Return the change with Newcombe's interval."""
        if self.units <= 0:
            return undefined(
                self.undefined_when, confidence=confidence, method=self.method, n=self.n
            )
        low, high = newcombe(
            self.kept, self.broken, self.fixed, self.missed, confidence=confidence
        )
        return Estimate(
            value=self.value,
            low=low,
            high=high,
            confidence=confidence,
            method=self.method,
            n=self.n,
            reason=self.note,
        )

    def upper(self, alpha: float) -> float:
        """Return the melded upper bound; 1 of nothing."""
        return melded.upper_change(self.broken, self.fixed, self.units, alpha)

    def lower(self, alpha: float) -> float:
        """Return the melded lower bound; −1 of nothing."""
        return melded.lower_change(self.broken, self.fixed, self.units, alpha)

    def p_at_most(self, limit: float) -> float:
        """Return the melded p-value; at 0 the exact one-sided McNemar test."""
        return melded.p_change_at_most(self.broken, self.fixed, self.units, limit)

    def p_above(self, limit: float) -> float:
        """Return the melded p-value; at 0 the exact one-sided McNemar test."""
        return melded.p_change_above(self.broken, self.fixed, self.units, limit)

    def detectable(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> float:
        """Return the least change that would have been proven to lie beyond."""
        if self.units <= 0:
            return math.nan
        all_right = side == "at_most"  # new's answers that would breach it the most

        def worse(share: float) -> "ChangeEvidence":
            left = 1 - share
            a, b, c, d = self.kept, self.broken, self.fixed, self.missed
            if all_right:
                a, b, c, d = a + share * b, left * b, c + share * d, left * d
            else:
                a, b, c, d = left * a, b + share * a, left * c, d + share * c
            return replace(self, kept=a, broken=b, fixed=c, missed=d)

        return first_proven(worse, limit, alpha, side=side)

    def fresh_examples(
        self,
        limit: float,
        alpha: float,
        *,
        side: Side = "at_most",
        power: float = POWER,
    ) -> Fresh:
        """Search for the multiple of these counts that proves the limit."""
        if self.units <= 0:
            return Fresh(reason=self.undefined_when)
        if not kept(self.value, limit, side):
            return unreachable(side)
        times = self._times(limit, alpha, side, power)
        if times * self.examples > MOST_EXAMPLES:
            return Fresh(reason=TOO_MANY)
        return Fresh(
            examples=math.ceil(times * self.examples - 1e-6),
            power=power if self.broken + self.fixed else 1.0,
        )

    def _times(self, limit: float, alpha: float, side: Side, power: float) -> float:
        test = melded.p_change_above if side == "at_most" else melded.p_change_at_most
        flips, change = self.broken + self.fixed, self.fixed - self.broken
        variance = max(flips - change * change / self.units, 0.0)
        unlucky = float(special.ndtri(power)) * (1 if side == "at_most" else -1)

        def proven(times: float) -> bool:
            """Whether it is, where the change strays as far as it does by chance."""
            strays = unlucky * math.sqrt(times * variance)
            fixed = (times * (flips + change) + strays) / 2
            fixed = min(max(fixed, 0.0), times * flips)
            return (
                test(times * flips - fixed, fixed, times * self.units, limit) <= alpha
            )

        low, high = 0.0, 1.0
        while not proven(high):
            low, high = high, 2 * high
            if high * self.examples > 2 * MOST_EXAMPLES:
                return high
        while (high - low) * self.examples > 1:
            middle = (low + high) / 2
            low, high = (low, middle) if proven(middle) else (middle, high)
        return high
