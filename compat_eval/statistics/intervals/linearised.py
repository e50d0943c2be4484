"""The interval of the delta method: what is left of resampling with many clusters."""

import math
from dataclasses import dataclass

from scipy import special

from compat_eval.core.estimate import Estimate
from compat_eval.statistics.intervals.evidence import (
    Fresh,
    Side,
    joined,
    kept,
    scaled,
    unreachable,
    within,
)

_TINY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Linearised:
    """Evidence from a standard error by the delta method, for very many clusters.

    Attributes:
        value: The number.
        error: Its standard error; nan where there is no interval.
        n: How many clusters gave it.
        examples: How many examples they hold.
        undefined_when: The reason why the number, or its error, is undefined where it
            is.
        method: Name of the interval.
        note: A remark for the report.
        reach: The ends that the number cannot pass.

    """

    value: float
    error: float
    n: int
    examples: int
    undefined_when: str
    method: str = "linearised"
    note: str | None = None
    reach: tuple[float, float] = (-math.inf, math.inf)

    @property
    def trouble(self) -> str | None:
        """Why there is no interval, or `None` where there is one."""
        if math.isnan(self.value) or math.isnan(self.error):
            return self.undefined_when
        if self.collapsed:
            return "no interval: no cluster moves the number"
        return None

    @property
    def collapsed(self) -> bool:
        """Whether the standard error is zero."""
        return self.error <= _TINY

    def estimate(self, confidence: float = 0.95) -> Estimate:
        """Return the number with its symmetric interval."""
        alpha = (1 - confidence) / 2
        return Estimate(
            value=self.value,
            low=self.lower(alpha),
            high=self.upper(alpha),
            confidence=confidence,
            method=self.method,
            n=self.n,
            reason=joined(self.trouble, self.note),
        )

    def upper(self, alpha: float) -> float:
        """Return the upper bound; nan without an interval."""
        return self._bound(-_student(self.n, alpha))

    def lower(self, alpha: float) -> float:
        """Return the lower bound; nan without an interval."""
        return self._bound(_student(self.n, alpha))

    def p_at_most(self, limit: float) -> float:
        """Return the p-value of Student's t."""
        return self._p(limit - self.value)

    def p_above(self, limit: float) -> float:
        """Return the p-value of Student's t."""
        return self._p(self.value - limit)

    def detectable(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> float:
        """Return the value whose bound would have reached the limit."""
        bound = self.lower(alpha) if side == "at_most" else self.upper(alpha)
        return within(self.reach, limit + self.value - bound)

    def fresh_examples(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> Fresh:
        """Scale by how far the bound must move towards the value."""
        if self.trouble is not None:
            return Fresh(reason=self.trouble)
        if not kept(self.value, limit, side):
            return unreachable(side)
        return scaled(self, limit, alpha, side=side, examples=self.examples)

    def _bound(self, quantile: float) -> float:
        if self.trouble is not None:
            return math.nan
        return self.value + quantile * self.error

    def _p(self, beyond: float) -> float:
        if self.trouble is not None:
            return 1.0
        return float(special.stdtr(self.n - 1, beyond / self.error))


def _student(n: int, alpha: float) -> float:
    """Return Student's quantile for n clusters."""
    return float(special.stdtrit(n - 1, alpha))
