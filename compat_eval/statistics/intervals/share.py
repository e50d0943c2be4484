"""Evidence about a share: successes out of n."""

import math
from dataclasses import dataclass, replace

from compat_eval.core.estimate import Estimate, undefined
from compat_eval.statistics.intervals import proportion
from compat_eval.statistics.intervals.evidence import (
    POWER,
    TOO_MANY,
    Fresh,
    Side,
    Sided,
    first_proven,
    kept,
    unreachable,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareEvidence(Sided):
    """Wilson's interval to show, Clopper and Pearson's bounds to decide.

    Attributes:
        part: How many; fractional where an effective sample size is used.
        whole: Of how many; likewise.
        n: How many independent pieces of evidence to report.
        examples: How many examples gave this evidence.
        undefined_when: The reason why the share is undefined where `whole` is 0.
        most: How many there could have been; `None` for `whole`.
        method: Name of the interval.
        note: A remark for the report.

    """

    part: float
    whole: float
    n: int
    examples: int
    undefined_when: str
    most: float | None = None
    method: str = "wilson"
    note: str | None = None

    @property
    def value(self) -> float:
        """The share; nan of nothing."""
        return self.part / self.whole if self.whole > 0 else math.nan

    def estimate(self, confidence: float = 0.95) -> Estimate:
        """Return the share with Wilson's interval."""
        if self.whole <= 0:
            return undefined(
                self.undefined_when, confidence=confidence, method=self.method, n=self.n
            )
        low, high = proportion.modified_wilson(
            self.part, self.whole, confidence=confidence
        )
        return Estimate(
            value=self.value,
            low=float(low),
            high=float(high),
            confidence=confidence,
            method=self.method,
            n=self.n,
            reason=self.note,
        )

    def bound(self, alpha: float, side: Side) -> float:
        """Return Clopper and Pearson's bound; 1 or 0 of nothing."""
        of = proportion.upper_bound if side == "at_most" else proportion.lower_bound
        return float(of(self.part, self.whole, alpha=alpha))

    def p(self, limit: float, side: Side) -> float:
        """Return the chance of as few or fewer (as many or more) at just the limit."""
        of = proportion.p_above if side == "at_most" else proportion.p_at_most
        return float(of(self.part, self.whole, limit))

    def detectable(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> float:
        """Return the least share that would have been proven to lie beyond."""
        if self.whole <= 0:
            return math.nan
        most = self.whole if self.most is None else self.most
        end = max(self.part, most) if side == "at_most" else 0.0

        def worse(share: float) -> "ShareEvidence":
            return replace(self, part=self.part + share * (end - self.part))

        found = first_proven(worse, limit, alpha, side=side)
        if math.isnan(found) or self.whole != int(self.whole):
            return found
        up = side == "at_most"
        count = found * self.whole + (-1e-6 if up else 1e-6)
        return (math.ceil(count) if up else math.floor(count)) / self.whole

    def fresh_examples(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> Fresh:
        """Search for the sample from which on the power stays high."""
        if self.whole <= 0:
            return Fresh(reason=self.undefined_when)
        if not kept(self.value, limit, side):
            return unreachable(side)
        from compat_eval.statistics.power import (  # noqa: PLC0415
            chance_to_certify,
            lasting_n_with_power,
        )

        rate = self.value if side == "at_most" else 1 - self.value
        bar = limit if side == "at_most" else 1 - limit
        needed = lasting_n_with_power(rate, bar, power=POWER, alpha=alpha)
        if needed is None:
            return Fresh(reason=TOO_MANY)
        share = self.whole / self.examples
        if share < 1 and self.n == self.whole:  # units come by chance
            return self._by_chance(needed, rate, bar, alpha)
        power = chance_to_certify(needed, rate, bar, alpha=alpha)
        return Fresh(examples=math.ceil(needed / share - 1e-9), power=power)

    def _by_chance(self, needed: int, rate: float, bar: float, alpha: float) -> Fresh:
        """Search for the examples that give enough units, such as errors of new."""
        from compat_eval.statistics.power import (  # noqa: PLC0415
            mean_chance_to_certify,
        )

        share = self.whole / self.examples

        def power(n: float) -> float:
            return mean_chance_to_certify(n, share, rate, bar, alpha=alpha)

        tried = [needed / share * (0.7 + step / 100) for step in range(91)]
        low = [at for at, n in enumerate(tried) if power(n) < POWER]
        n = tried[min(low[-1] + 1, len(tried) - 1)] if low else tried[0]
        return Fresh(examples=math.ceil(n), power=power(n))
