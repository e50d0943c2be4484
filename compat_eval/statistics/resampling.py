"""Resampling clusters: one multinomial draw serves every number.

Rows are summed by cluster first and equal rows are kept once with how often they
occur, so that a replicate is multinomial counts × rows and costs what the distinct
rows cost, however many units they hold. Where there are very many distinct rows the
bootstrap has nothing left to add and the linearised interval is used instead.

Where clusters differ much in size or difficulty a number and its standard error move
together, and percentiles of the number alone miss too often on one side. Quantiles of
the studentised number do not: the bootstrap-t.

Sources:
    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993. Davison and
    Hinkley, "Bootstrap Methods and their Application", 1997 (p-values with +1).
    Hesterberg, "What Teachers Should Know About the Bootstrap", The American
    Statistician 2015 (expanded percentiles for few clusters). Efron,
    "Nonparametric standard errors and confidence intervals", Canadian Journal of
    Statistics 1981, and Hall, "Theoretical comparison of bootstrap confidence
    intervals", Annals of Statistics 1988 (the bootstrap-t).
"""

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from compat_eval.core.arrays import Ints, Rows, Values
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
from compat_eval.statistics.intervals.linear import gradient, standard_error
from compat_eval.statistics.student import student_quantile

MOST_DISTINCT = 300
_MOST_UNDEFINED = 0.05
_N_REPLICATES = 2_000
_CHUNK = 500_000
MOST_COLUMNS = 32
_TINY = 1e-12
_ROUNDING = 1e-9
_SIGNS: dict[Side, int] = {"at_most": -1, "at_least": 1}


def replicates(times: Ints | Values, rows: Rows, rng: np.random.Generator) -> Rows:
    """Return bootstrap totals of rows, shape (n_replicates, n_columns).

    Args:
        times: How many clusters have each row, shape (n_distinct,).
        rows: The distinct summed rows, shape (n_distinct, n_columns).
        rng: The random generator.

    """
    return np.concatenate([product(drawn, rows) for drawn in _draws(times, rng)])


def _draws(times: Ints | Values, rng: np.random.Generator) -> Iterator[Ints]:
    """Yield how often each distinct row is drawn, a chunk of replicates at a time."""
    n = int(times.sum())
    step = max(1, _CHUNK // len(times))
    for start in range(0, _N_REPLICATES, step):
        size = min(step, _N_REPLICATES - start)
        yield rng.multinomial(n, times / n, size=size)


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return the generator of one named piece of work under a seed.

    Examples:
        >>> a = generator(0, "intents", "example", "nfr").random()
        >>> b = generator(0, "intents", "example", "pfr").random()
        >>> a == b
        False

    """
    text = "\x1f".join(names).encode("utf-8", "surrogatepass")
    words = np.frombuffer(hashlib.sha256(text).digest(), dtype="<u4")
    key = tuple(int(word) for word in words)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def studentised(
    value: Callable[[Rows], Values],
    times: Ints,
    rows: Rows,
    rng: np.random.Generator,
) -> Values:
    """Return what the number could have been, shape (n_replicates,).

    It is value − error · (replicate − value) / its error: quantiles of these are the
    bounds of the bootstrap-t. Nan where a replicate is undefined. A replicate whose
    error is 0 but for rounding lies infinitely far off: its clusters are all alike.
    """
    totals = product(times, rows)
    number = float(value(totals))
    error = standard_error(
        product(rows, gradient(value, totals)), times.astype(np.float64)
    )
    parts = []
    for drawn in _draws(times, rng):
        summed = product(drawn, rows)
        off = np.asarray(value(summed)) - number
        with np.errstate(divide="ignore", invalid="ignore"):
            errors = _errors(value, drawn, rows, summed)
            t = off / np.where(errors <= _ROUNDING * error, 0.0, errors)
            t = np.where(np.abs(off) <= _ROUNDING * error, 0.0, t)
            parts.append(number - error * t)
    return np.concatenate(parts)


def _errors(
    value: Callable[[Rows], Values], drawn: Ints, rows: Rows, totals: Rows
) -> Values:
    """Return the standard error of each replicate, by the delta method."""
    influence = product(gradient(value, totals), rows.T)
    n = drawn.sum(axis=1, keepdims=True)
    mean = (drawn * influence).sum(axis=1, keepdims=True) / n
    squares = (drawn * (influence - mean) ** 2).sum(axis=1)
    return np.asarray(np.sqrt(squares * (n / (n - 1))[:, 0]))


@dataclass(frozen=True, kw_only=True)
class Bootstrapped(Sided):
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
        if self._dropped > _MOST_UNDEFINED:
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
        if self._dropped > _MOST_UNDEFINED:
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
        ends = self.lower(alpha), self.upper(alpha)
        return between_bounds(
            self,
            confidence,
            method=self.method,
            n=self.n,
            reason=joined(
                self.trouble or self._without_end(*ends, confidence),
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

    def bound(self, alpha: float, side: Side) -> float:
        """Return the bound; nan without interval or enough replicates."""
        at = None if self.trouble is not None else self._beyond(alpha, side)
        found = math.nan if at is None else self._at(at, side)
        return found if math.isfinite(found) else math.nan

    def p(self, limit: float, side: Side) -> float:
        """Return how rarely a replicate is on the other side, corrected; never 0."""
        if self.trouble is not None:
            return 1.0
        few = int(np.searchsorted(self._sorted, limit, side="right"))
        return self._p(len(self._sorted) - few if side == "at_most" else few, side)

    def detectable(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> float:
        """Return the value whose bound would have reached the limit."""
        other: Side = "at_least" if side == "at_most" else "at_most"
        at = self._beyond(alpha, other)
        if at is None:
            return math.nan
        return within(self.reach, limit + self.value - self._at(at, other))

    def fresh_examples(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> Fresh:
        """Scale by how far the bound must move towards the value."""
        if self.trouble is not None:
            return Fresh(reason=self.trouble)
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

    def _at(self, rank: int, side: Side) -> float:
        return float(self._sorted[-1 - rank if side == "at_most" else rank])

    def _beyond(self, alpha: float, side: Side) -> int | None:
        """Return how many replicates lie beyond a bound; `None` without one."""
        if self.n <= 1:
            return None
        widened = math.sqrt(self.n / (self.n - 1))
        sign = _SIGNS[side]
        quantile = sign * student_quantile(self._freedom, alpha) * widened
        from_median = self._bias + quantile
        stretched = 1 - self.acceleration * from_median
        if stretched <= 0:
            return None
        at = self._bias + from_median / stretched
        beyond = math.floor(special.ndtr(sign * at) * (len(self._sorted) + 1)) - 1
        return beyond if 0 <= beyond < len(self._sorted) else None

    def _p(self, few: int, side: Side) -> float:
        """Return the level at which so few replicates lie beyond the bound."""
        sign = _SIGNS[side]
        plain = (few + 1) / (len(self._sorted) + 1)
        if plain >= 1:
            return 1.0
        from_median = sign * float(special.ndtri(plain)) - self._bias
        stretched = 1 + self.acceleration * from_median
        if stretched <= 0:
            return 1.0 if sign * from_median > 0 else 1 / (len(self._sorted) + 1)
        quantile = from_median / stretched - self._bias
        widened = math.sqrt(self.n / (self.n - 1))
        return float(special.stdtr(self._freedom, sign * quantile / widened))
