"""Resampling clusters: one multinomial draw serves every number.

Rows are summed by cluster first and equal rows are kept once with how often they
occur, so that a replicate is multinomial counts × rows and costs what the distinct
rows cost, however many units they hold. Where there are very many distinct rows the
bootstrap has nothing left to add and the linearised interval is used instead.

Sources:
    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993. Davison and
    Hinkley, "Bootstrap Methods and their Application", 1997 (p-values with +1).
    Hesterberg, "What Teachers Should Know About the Bootstrap", The American
    Statistician 2015 (expanded percentiles for few clusters).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from compat_eval.core.arrays import Ints, Rows, Values
from compat_eval.core.estimate import Estimate
from compat_eval.core.sums import product
from compat_eval.statistics.intervals.evidence import (
    Fresh,
    Side,
    joined,
    kept,
    scaled,
    unreachable,
    within,
)

MOST_DISTINCT = 300
MOST_UNDEFINED = 0.05
_N_REPLICATES = 2_000
_CHUNK = 500_000
_TINY = 1e-12


def replicates(times: Ints, rows: Rows, rng: np.random.Generator) -> Rows:
    """Return bootstrap totals of rows, shape (n_replicates, n_columns).

    Args:
        times: How many clusters have each row, shape (n_distinct,).
        rows: The distinct summed rows, shape (n_distinct, n_columns).
        rng: Where chance comes from.

    """
    return np.concatenate([product(drawn, rows) for drawn in draws(times, rng)])


def draws(times: Ints, rng: np.random.Generator) -> Iterator[Ints]:
    """Yield how often each distinct row is drawn, a chunk of replicates at a time."""
    n = int(times.sum())
    step = max(1, _CHUNK // len(times))
    for start in range(0, _N_REPLICATES, step):
        size = min(step, _N_REPLICATES - start)
        yield rng.multinomial(n, times / n, size=size)


@dataclass(frozen=True, kw_only=True)
class Bootstrapped:
    """Evidence from the replicates of a number.

    Attributes:
        value: The number, of the sample itself.
        values: Of each replicate; nan where undefined there.
        n: How many clusters were resampled.
        examples: How many examples they hold.
        undefined_when: The reason why the number is undefined where it is.
        method: Name of the interval.
        note: A remark for the report.
        acceleration: How the spread grows with the number: a sixth of the skewness
            of the clusters' influences over √n.
        studentised: Whether `values` are the number less its standard error times
            the studentised replicates: then their bias needs no correction.
        reach: The ends that the number cannot pass.
        alike: How many clusters move the number, were they to move it alike (see
            `linear.moving_alike`); all of them where absent.

    """

    value: float
    values: Values
    n: int
    examples: int
    undefined_when: str
    method: str = "cluster-bootstrap"
    note: str | None = None
    acceleration: float = 0.0
    studentised: bool = False
    reach: tuple[float, float] = (-math.inf, math.inf)
    alike: float = math.inf

    @cached_property
    def _freedom(self) -> float:
        return max(min(2 * self.alike, self.n) - 1, 1.0)

    @cached_property
    def _sorted(self) -> Values:
        return np.sort(self.values[~np.isnan(self.values)])

    @cached_property
    def _dropped(self) -> float:
        return 1 - len(self._sorted) / len(self.values)

    @cached_property
    def trouble(self) -> str | None:
        """Why there is no interval, or `None` where there is one."""
        if math.isnan(self.value):
            return self.undefined_when
        if self._dropped > MOST_UNDEFINED:
            return (
                f"no interval: undefined in a share of {self._dropped:.3f} of the "
                f"resamples ({self.undefined_when})"
            )
        if self.n <= 1:
            return f"no interval: it would rest on {self.n} cluster"
        if self.collapsed:
            return "no interval: every resample gives the same number"
        return None

    @property
    def collapsed(self) -> bool:
        """Whether every replicate gives the same number, so that none moves it."""
        if self._dropped > MOST_UNDEFINED:
            return False
        spread = float(self._sorted[-1] - self._sorted[0])
        return spread <= _TINY * max(1.0, abs(self.value))

    def estimate(self, confidence: float = 0.95) -> Estimate:
        """Return the number with its percentile interval."""
        alpha = (1 - confidence) / 2
        dropped = (
            f"a share of {self._dropped:.3f} of the resamples was undefined"
            if self._dropped > 0 and self.trouble is None
            else None
        )
        low, high = self.lower(alpha), self.upper(alpha)
        return Estimate(
            value=self.value,
            low=low,
            high=high,
            confidence=confidence,
            method=self.method,
            n=self.n,
            reason=joined(
                self.trouble or self._without_end(low, high, confidence),
                dropped,
                self.note,
            ),
        )

    def _without_end(self, low: float, high: float, confidence: float) -> str | None:
        """Say which end is missing, where resampling gives only one or none."""
        missing = [
            name for name, end in (("lower", low), ("upper", high)) if math.isnan(end)
        ]
        if not missing:
            return None
        return (
            f"no {' and no '.join(missing)} end: resampling {self.n} clusters reaches "
            f"none at confidence {confidence:.4g}"
        )

    def upper(self, alpha: float) -> float:
        """Return the upper bound; nan without interval or enough replicates."""
        at = self._rank(alpha, -1)
        return math.nan if at is None else float(self._sorted[-1 - at])

    def lower(self, alpha: float) -> float:
        """Return the lower bound; nan without interval or enough replicates."""
        at = self._rank(alpha, 1)
        return math.nan if at is None else float(self._sorted[at])

    def p_at_most(self, limit: float) -> float:
        """Return how rarely a replicate is at most `limit`, corrected; never 0."""
        if self.trouble is not None:
            return 1.0
        few = int(np.searchsorted(self._sorted, limit, side="right"))
        return self._p(few, 1)

    def p_above(self, limit: float) -> float:
        """Return how rarely a replicate is above `limit`, corrected; never 0."""
        if self.trouble is not None:
            return 1.0
        few = len(self._sorted) - int(
            np.searchsorted(self._sorted, limit, side="right")
        )
        return self._p(few, -1)

    def detectable(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> float:
        """Return the value whose bound would have reached the limit."""
        at = self._beyond(alpha, 1 if side == "at_most" else -1)
        if at is None:
            return math.nan
        bound = self._sorted[at] if side == "at_most" else self._sorted[-1 - at]
        return within(self.reach, limit + self.value - float(bound))

    def fresh_examples(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> Fresh:
        """Scale by how far the bound must move towards the value."""
        if self.trouble is not None:
            return Fresh(reason=self.trouble)
        if not kept(self.value, limit, side):
            return unreachable(side)
        return scaled(self, limit, alpha, side=side, examples=self.examples)

    @cached_property
    def _bias(self) -> float:
        """How far the median of the replicates lies from the number, as a quantile."""
        if self.studentised:
            return 0.0
        below = np.searchsorted(self._sorted, self.value, side="left")
        upto = np.searchsorted(self._sorted, self.value, side="right")
        share = (below + upto + 1) / 2 / (len(self._sorted) + 1)
        return float(special.ndtri(share))

    def _rank(self, alpha: float, side: int) -> int | None:
        """Return how many replicates lie beyond a bound; `None` without one."""
        return None if self.trouble is not None else self._beyond(alpha, side)

    def _beyond(self, alpha: float, side: int) -> int | None:
        """Return the same also where every replicate is the same number."""
        if self.n <= 1:
            return None
        widened = math.sqrt(self.n / (self.n - 1))
        quantile = side * float(special.stdtrit(self._freedom, alpha)) * widened
        from_median = self._bias + quantile
        stretched = 1 - self.acceleration * from_median
        if stretched <= 0:
            return None
        at = self._bias + from_median / stretched
        beyond = math.floor(special.ndtr(side * at) * (len(self._sorted) + 1)) - 1
        return beyond if 0 <= beyond < len(self._sorted) else None

    def _p(self, few: int, side: int) -> float:
        """Return the level at which so few replicates lie beyond the bound."""
        plain = (few + 1) / (len(self._sorted) + 1)
        if plain >= 1:
            return 1.0
        from_median = side * float(special.ndtri(plain)) - self._bias
        stretched = 1 + self.acceleration * from_median
        if stretched <= 0:
            return 1.0 if side * from_median > 0 else 1 / (len(self._sorted) + 1)
        quantile = from_median / stretched - self._bias
        widened = math.sqrt(self.n / (self.n - 1))
        return float(special.stdtr(self._freedom, side * quantile / widened))
