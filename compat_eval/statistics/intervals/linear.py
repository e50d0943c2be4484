"""The delta method: how much a number would move with one more of some cluster.

Sources:
    Hall, "On the removal of skewness by transformation", JRSS B 1992.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from compat_eval.core.arrays import Rows, Values
from compat_eval.core.estimate import Estimate
from compat_eval.core.rows import product
from compat_eval.statistics.intervals.evidence import (
    Fresh,
    Side,
    Sided,
    between_bounds,
    joined,
    scaled,
    within,
)
from compat_eval.statistics.student import student_quantile

_STEP = 1e-6
_TINY = 1e-12
_NORMAL_KURTOSIS = 3.0
_MOST_CELLS = 4_000_000


def gradient(value: Callable[[Rows], Values], totals: Rows) -> Values:
    """Return the derivative of a function of totals by each column.

    Central differences, shape (..., n_columns); a column that the value does not
    depend on gives 0, also where it is nan.

    Examples:
        >>> half = lambda totals: totals[..., 0] / totals[..., 1]
        >>> gradient(half, np.array([1.0, 2.0])).round(6).tolist()
        [0.5, -0.25]

    """
    n = totals.shape[-1]
    steps = _STEP * np.maximum(np.abs(np.nan_to_num(totals)), 1.0)
    some = max(1, _MOST_CELLS // max(1, totals.size))  # Columns at a time.
    slopes = np.empty(np.shape(totals))
    for start in range(0, n, some):
        at = slice(start, min(start + some, n))
        step = steps[..., at]
        moved = step[..., None] * np.eye(at.stop - start, n, k=start)
        up = value(totals[..., None, :] + moved)
        down = value(totals[..., None, :] - moved)
        slopes[..., at] = (up - down) / (2 * step)
    return np.where(np.isnan(totals), 0.0, slopes)


def jacobian(values: Callable[[Rows], Values], totals: Rows) -> Rows:
    """Return the derivative of each of several numbers, shape (n_values, n_columns)."""

    def one(at: int) -> Values:
        return gradient(lambda rows: values(rows)[..., at], totals)

    return np.stack([one(at) for at in range(len(values(totals)))])


def standard_error(influence: Values, times: Values | None = None) -> float:
    """Return the standard error of a sum of clusters' influences.

    Args:
        influence: Of each (distinct) cluster, shape (n,).
        times: How many clusters have it; once each where absent.

    """
    n = float(len(influence) if times is None else times.sum())
    if n <= 1:
        return float("inf")
    mean = float(influence.sum() if times is None else product(times, influence)) / n
    centred = influence - mean
    counted = centred if times is None else centred * times
    return float(np.sqrt(product(counted, centred) * n / (n - 1)))


def acceleration(influence: Values, times: Values | None = None) -> float:
    """Return a sixth of the skewness of clusters' influences over √n (Efron's a)."""
    times = np.ones(len(influence)) if times is None else times
    centred = influence - float(product(times, influence)) / float(times.sum())
    squares = float(product(times, centred**2))
    if squares <= 0:
        return 0.0
    return float(product(times, centred**3) / (6 * squares**1.5))


def moving_alike(influence: Values, times: Values) -> float:
    """Return how many clusters carry a number, were they to move it alike.

    Fewer than there are where a few carry most of it, such as those of a rare class.
    """
    n = float(times.sum())
    centred = influence - float(product(times, influence)) / n
    fourth = float(product(times, centred**4))
    return float(product(times, centred**2)) ** 2 / fourth if fourth > 0 else n


@dataclass(frozen=True, slots=True, kw_only=True)
class Tails:
    """How unlike a normal distribution clusters' influences are on a number.

    Attributes:
        acceleration: A sixth of their skewness over √n.
        alike: How many clusters carry the number, were they to move it alike.
        rise: How much higher the number would be with one more of the cluster that
            raises it most, as far as the tails are heavier than normal ones.
        fall: Likewise, how much lower.

    """

    acceleration: float
    alike: float
    rise: float
    fall: float

    @classmethod
    def of(cls, influence: Values, times: Values | None = None) -> "Tails":
        """Describe the influences of clusters, shape (n,), which may occur often."""
        times = np.ones(len(influence)) if times is None else times
        n = float(times.sum())
        centred = influence - float(product(times, influence)) / n
        alike = moving_alike(influence, times)
        excess = max(0.0, 1 - _NORMAL_KURTOSIS * alike / n)
        seen = centred[times > 0]
        return cls(
            acceleration=acceleration(influence, times),
            alike=alike,
            rise=excess * float(seen.max()),
            fall=-excess * float(seen.min()),
        )

    def freedom(self, n: int) -> float:
        """Return the degrees of freedom of the standard error."""
        return max(min(self.alike, n) - 1, 1.0)

    def straightened(self, t: float, side: Side) -> float:
        """Return a studentised number without its skewness (Hall's cubic)."""
        a = self._leaning(side)
        return t + a + 2 * a * t**2 + 4 / 3 * a**2 * t**3

    def leaning(self, quantile: float, side: Side) -> float:
        """Return what `straightened` turns into a quantile."""
        a = self._leaning(side)
        if abs(a) < _TINY:
            return quantile
        return (math.cbrt(1 + 6 * a * (quantile - a)) - 1) / (2 * a)

    def unseen(self, side: Side) -> float:
        """Return how much further out the number could be, were more tail seen."""
        return self.rise if side == "at_most" else self.fall

    def _leaning(self, side: Side) -> float:
        return self.acceleration if side == "at_most" else -self.acceleration


@dataclass(frozen=True, slots=True, kw_only=True)
class Linearised(Sided):
    """Evidence from a standard error by the delta method, for very many clusters.

    Where tails are given, bounds are the more careful of Student's and of those without
    skewness, and allow for one more of the most extreme clusters.

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
        tails: Of the clusters' influences, where nothing limits them.

    """

    value: float
    error: float
    n: int
    examples: int
    undefined_when: str
    method: str = "linearised"
    note: str | None = None
    reach: tuple[float, float] = (-math.inf, math.inf)
    tails: Tails | None = None

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

    @property
    def _freedom(self) -> float:
        return self.n - 1 if self.tails is None else self.tails.freedom(self.n)

    def estimate(self, confidence: float = 0.95) -> Estimate:
        """Return the number with the interval between its one-sided bounds."""
        return between_bounds(
            self,
            confidence,
            method=self.method,
            n=self.n,
            reason=joined(self.trouble, self.note),
        )

    def bound(self, alpha: float, side: Side) -> float:
        """Return the bound; nan without an interval."""
        if self.trouble is not None:
            return math.nan
        quantile, unseen = student_quantile(self._freedom, alpha), 0.0
        if self.tails is not None:
            quantile = min(quantile, self.tails.leaning(quantile, side))
            unseen = self.tails.unseen(side)
        off = unseen - quantile * self.error
        return self.value + (off if side == "at_most" else -off)

    def p(self, limit: float, side: Side) -> float:
        """Return the p-value of Student's t."""
        if self.trouble is not None:
            return 1.0
        beyond = self.value - limit if side == "at_most" else limit - self.value
        if self.tails is None:
            return float(special.stdtr(self._freedom, beyond / self.error))
        t = (beyond + self.tails.unseen(side)) / self.error
        t = max(t, self.tails.straightened(t, side))
        return float(special.stdtr(self._freedom, t))

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
        return scaled(self, limit, alpha, side=side, examples=self.examples)
