"""Evidence of several independent samples, such as the suites of a release, as one.

What is asked is about the worst of them: whether any sample breaks a limit. Fisher's
method adds up small signs of it in many samples; the largest loss looks at the one
where the sign is clearest.

Sources:
    Kübler et al., "When LLMs get significantly worse: A statistical approach to detect
    model degradations", ICLR 2026, https://arxiv.org/abs/2602.10144 (three ways to pool
    tasks: all examples together, the largest standardised loss, Fisher's method).
    Fisher, "Statistical Methods for Research Workers", 1925. Šidák, "Rectangular
    Confidence Regions for the Means of Multivariate Normal Distributions", JASA 1967.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import special

from compat_eval.core.estimate import Estimate
from compat_eval.statistics.intervals.evidence import Evidence, Fresh, Side, Sided

_STEPS = 40
_LEAST_P = 1e-300


def fisher(p_values: Sequence[float]) -> float:
    """Return Fisher's p-value of "all hypotheses are true", of independent tests.

    Examples:
        >>> round(fisher([0.04, 0.06, 0.2]), 4)
        0.0182

    """
    statistic = -2 * sum(math.log(max(p, _LEAST_P)) for p in p_values)
    return float(special.chdtrc(2 * len(p_values), statistic))


def smallest(p_values: Sequence[float]) -> float:
    """Return Šidák's p-value of "all hypotheses are true", of independent tests.

    Examples:
        >>> round(smallest([0.01, 0.5]), 4)
        0.0199

    """
    return -math.expm1(len(p_values) * math.log1p(-min(*p_values, 1 - 1e-16)))


def largest_loss(flips: Sequence[tuple[int, int]]) -> float:
    """Return the p-value of the largest standardised loss among several samples.

    Where nothing got worse, each flip breaks or fixes with equal chance. The chance
    that no sample has a loss (broken − fixed) / √(broken + fixed) as large as the
    largest one is a product of binomial distributions, so nothing need be drawn.

    Args:
        flips: How many units broke and were fixed in each sample.

    Examples:
        >>> largest_loss([(5, 0)]) == 0.5**5
        True

    """
    known = [(broken, broken + fixed) for broken, fixed in flips if broken + fixed]
    if not known:
        return 1.0
    largest = max((2 * broken - n) / math.sqrt(n) for broken, n in known)
    none_so_large = 1.0
    for _, n in known:
        # The fewest broken ones that make a loss as large.
        fewest = math.ceil((n + largest * math.sqrt(n)) / 2 - 1e-9)
        reached = 0.0 if fewest > n else float(special.bdtrc(fewest - 1, n, 0.5))
        none_so_large *= 1 - (1.0 if fewest <= 0 else reached)
    return 1 - none_so_large


Combination = Literal["fisher", "max_drop"]
_COMBINED: dict[Combination, Callable[[Sequence[float]], float]] = {
    "fisher": fisher,
    "max_drop": smallest,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstOfSeveral(Sided):
    """The largest loss of any of several independent samples; it can only be detected.

    Attributes:
        samples: Evidence about the loss of each, by name.
        combination: How their p-values become one.
        flips: How many units broke and were fixed in each, where units are
            independent; `None` where they are not.

    """

    samples: tuple[tuple[str, Evidence], ...]
    combination: Combination
    flips: tuple[tuple[int, int], ...] | None = None

    @property
    def value(self) -> float:
        """The largest loss; nan where one is undefined."""
        values = [one.value for _, one in self.samples]
        return math.nan if not values or np.isnan(values).any() else max(values)

    def estimate(self, confidence: float = 0.95) -> Estimate:
        """Return the largest loss, with the sample that has it; no interval."""
        name, worst = max(self.samples, key=lambda one: _last_if_nan(one[1].value))
        found = worst.estimate(confidence)
        undefined = next((n for n, one in self.samples if math.isnan(one.value)), None)
        reason = f"the largest loss of {len(self.samples)} suites, of {name}"
        if undefined is not None:
            reason = f"the loss of {undefined} is undefined"
        n = sum(one.estimate(confidence).n for _, one in self.samples)
        return replace(
            found,
            value=self.value,
            low=math.nan,
            high=math.nan,
            method=self.combination,
            n=n,
            reason=reason,
        )

    def bound(self, alpha: float, side: Side) -> float:
        """Return the largest loss that is proven; nothing bounds it from above."""
        if side == "at_most" or math.isnan(self.value):
            return math.nan
        low, high = -1.0, self.value
        if self.p(low, side) > alpha:
            return low
        for _ in range(_STEPS):
            middle = (low + high) / 2
            low, high = (
                (middle, high) if self.p(middle, side) <= alpha else (low, middle)
            )
        return low

    def p(self, limit: float, side: Side) -> float:
        """Return the p-value of "no sample loses more than the limit"."""
        if side == "at_most" or math.isnan(self.value):
            return 1.0
        if self.combination == "max_drop" and self.flips is not None and limit == 0:
            return largest_loss(self.flips)
        p_values = [one.p(limit, side) for _, one in self.samples]
        return _COMBINED[self.combination](p_values)

    def detectable(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> float:
        """Return the loss that one sample alone would have had to have."""
        level = self._alone(alpha)
        found = [one.detectable(limit, level, side=side) for _, one in self.samples]
        known = [one for one in found if not math.isnan(one)]
        return min(known, default=math.nan)

    def fresh_examples(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> Fresh:
        """Nobody can say how many."""
        return Fresh(reason="suites differ in what they need")

    def _alone(self, alpha: float) -> float:
        """Return the p-value with which one sample alone decides."""
        n = len(self.samples)
        if self.combination == "max_drop":
            return -math.expm1(math.log1p(-alpha) / n)
        return math.exp(-float(special.chdtri(2 * n, alpha)) / 2)


def _last_if_nan(value: float) -> float:
    return -math.inf if math.isnan(value) else value
