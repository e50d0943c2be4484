"""What is known about one number: its estimate, its bounds, its p-values.

A report shows `estimate`; a gate asks for one-sided bounds and p-values. The two
agree: `p_above(limit) <= alpha` exactly where `upper(alpha) <= limit`, and
`p_at_most(limit) < alpha` where `lower(alpha) > limit`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeAlias

from scipy import special

from compat_eval.core.estimate import Estimate, undefined
from compat_eval.statistics.student import student_quantile

Side: TypeAlias = Literal["at_most", "at_least"]
POWER = 0.8
TOO_MANY = "a fresh sample would need more than a billion examples"
MOST_EXAMPLES = 10**9
_OTHER: dict[Side, Side] = {"at_most": "at_least", "at_least": "at_most"}
_STEPS = 24
_LEAST_SHOWN = 1e-12  # of a tail: 1 − 2 · level must not round to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """A fresh sample that would prove a limit, where the observed rates are true.

    The old sample must not be part of it: adding examples to those that have been
    tested, and testing again at the same level, errs more often than that level.

    Attributes:
        examples: How many; `None` where no number would do.
        power: The chance to prove it.
        reason: Why there is no number.

    """

    examples: int | None = None
    power: float = math.nan
    reason: str | None = None


class Evidence(Protocol):
    """What the examples say about one number."""

    @property
    def value(self) -> float:
        """The number itself; nan where it is undefined."""

    def estimate(self, confidence: float = 0.95) -> Estimate:
        """Return the number with the two-sided interval that a report shows."""

    def bound(self, alpha: float, side: Side) -> float:
        """Return the bound to hold against a limit: the upper one of `at_most`."""

    def p(self, limit: float, side: Side) -> float:
        """Return the p-value of "the limit is not kept"; small proves that it is."""

    def upper(self, alpha: float) -> float:
        """Return a bound that the truth exceeds with a chance of at most alpha."""

    def lower(self, alpha: float) -> float:
        """Return a bound that the truth falls below with a chance of at most alpha."""

    def p_at_most(self, limit: float) -> float:
        """Return the p-value of "at most `limit`"; small is evidence against it."""

    def p_above(self, limit: float) -> float:
        """Return the p-value of "above `limit`"; small is evidence against it."""

    def detectable(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> float:
        """Return the value nearest to the limit that would have proven a breach.

        A breach lies above a limit of `at_most`, and below one of `at_least`. Nan
        where no answers of the models to this sample could have proven one.
        """

    def fresh_examples(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> Fresh:
        """Return how many fresh examples would prove the limit at the same rates."""


class Sided:
    """Both halves of evidence from functions of the side that a limit allows."""

    __slots__ = ()

    def bound(self, alpha: float, side: Side) -> float:
        """Return the bound to hold against a limit: the upper one of `at_most`."""
        raise NotImplementedError

    def p(self, limit: float, side: Side) -> float:
        """Return the p-value of "the limit is not kept"; small proves that it is."""
        raise NotImplementedError

    def upper(self, alpha: float) -> float:
        """Return a bound that the truth exceeds with a chance of at most alpha."""
        return self.bound(alpha, "at_most")

    def lower(self, alpha: float) -> float:
        """Return a bound that the truth falls below with a chance of at most alpha."""
        return self.bound(alpha, "at_least")

    def p_at_most(self, limit: float) -> float:
        """Return the p-value of "at most `limit`"; small is evidence against it."""
        return self.p(limit, "at_least")

    def p_above(self, limit: float) -> float:
        """Return the p-value of "above `limit`"; small is evidence against it."""
        return self.p(limit, "at_most")


@dataclass(frozen=True, slots=True, kw_only=True)
class Undefined(Sided):
    """Evidence about a number that does not exist here: it proves nothing.

    Attributes:
        reason: Why it does not exist.
        method: Name of the interval that there would be.
        n: How many pieces of evidence there are.

    """

    reason: str
    method: str = "none"
    n: int = 0

    @property
    def value(self) -> float:
        """Nan."""
        return math.nan

    def estimate(self, confidence: float = 0.95) -> Estimate:
        """Return an estimate without numbers but with the reason."""
        return undefined(
            self.reason, confidence=confidence, method=self.method, n=self.n
        )

    def bound(self, alpha: float, side: Side) -> float:
        """Nan: there is no bound."""
        return math.nan

    def p(self, limit: float, side: Side) -> float:
        """Return 1: no claim can be refuted."""
        return 1.0

    def detectable(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> float:
        """Nan: no breach can be proven."""
        return math.nan

    def fresh_examples(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> Fresh:
        """Nobody can say how many."""
        return Fresh(reason=self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbounded(Undefined):
    """Evidence about a number whose sample is too small to bound it.

    Attributes:
        known: The number itself.

    """

    known: float

    @property
    def value(self) -> float:
        """The number."""
        return self.known

    def estimate(self, confidence: float = 0.95) -> Estimate:
        """Return the number without an interval, with the reason."""
        made = undefined(self.reason, confidence=confidence, method="none", n=self.n)
        return replace(made, value=self.known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapped(Sided):
    """The same as other evidence, but for what a subclass changes of it."""

    inner: Evidence

    @property
    def value(self) -> float:
        """The number."""
        return self.inner.value

    def estimate(self, confidence: float = 0.95) -> Estimate:
        """Return the number with the two-sided interval that a report shows."""
        return self.inner.estimate(confidence)

    def bound(self, alpha: float, side: Side) -> float:
        """Return the bound to hold against a limit."""
        return self.inner.bound(alpha, side)

    def p(self, limit: float, side: Side) -> float:
        """Return the p-value of "the limit is not kept"."""
        return self.inner.p(limit, side)

    def detectable(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> float:
        """Return the value nearest to the limit that would have proven a breach."""
        return self.inner.detectable(limit, alpha, side=side)

    def fresh_examples(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> Fresh:
        """Return how many fresh examples would prove the limit at the same rates."""
        return self.inner.fresh_examples(limit, alpha, side=side)


@dataclass(frozen=True, slots=True, kw_only=True)
class Negated(Wrapped):
    """The same number with its sign turned, such as a loss for a gain."""

    @property
    def value(self) -> float:
        """The inner value, negated."""
        return _turned(self.inner.value)

    def estimate(self, confidence: float = 0.95) -> Estimate:
        """Return the mirrored interval, made by the same method."""
        made = self.inner.estimate(confidence)
        low, high = _turned(made.high), _turned(made.low)
        return replace(made, value=_turned(made.value), low=low, high=high)

    def bound(self, alpha: float, side: Side) -> float:
        """Return the mirrored bound."""
        return _turned(self.inner.bound(alpha, _OTHER[side]))

    def p(self, limit: float, side: Side) -> float:
        """Return the p-value of the mirrored claim."""
        return self.inner.p(-limit, _OTHER[side])

    def detectable(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> float:
        """Return the mirrored value."""
        return _turned(self.inner.detectable(-limit, alpha, side=_OTHER[side]))

    def fresh_examples(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> Fresh:
        """Return what the mirrored claim needs."""
        return self.inner.fresh_examples(-limit, alpha, side=_OTHER[side])


@dataclass(frozen=True, slots=True, kw_only=True)
class Divided(Wrapped):
    """The same number as a fraction of a known positive one."""

    by: float
    name: str

    @property
    def value(self) -> float:
        """The inner value, divided."""
        return self.inner.value / self.by

    def estimate(self, confidence: float = 0.95) -> Estimate:
        """Return the inner interval, divided."""
        made = self.inner.estimate(confidence)
        return replace(
            made,
            value=made.value / self.by,
            low=made.low / self.by,
            high=made.high / self.by,
            method=f"{made.method} over {self.name}",
        )

    def bound(self, alpha: float, side: Side) -> float:
        """Return the inner bound, divided."""
        return self.inner.bound(alpha, side) / self.by

    def p(self, limit: float, side: Side) -> float:
        """Return the p-value of the inner claim."""
        return self.inner.p(limit * self.by, side)

    def detectable(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> float:
        """Return the inner value, divided."""
        return self.inner.detectable(limit * self.by, alpha, side=side) / self.by

    def fresh_examples(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> Fresh:
        """Return what the inner claim needs."""
        return self.inner.fresh_examples(limit * self.by, alpha, side=side)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentLevel(Wrapped):
    """The same number where the variance behind it is an estimate.

    Every level is replaced by that of the normal quantile which equals Student's, so
    bounds are wider at each level, and p-values agree with them.

    Attributes:
        inner: Evidence that takes the variance as known.
        freedom: Degrees of freedom of the variance.

    """

    freedom: float

    def estimate(self, confidence: float = 0.95) -> Estimate:
        """Return the inner interval of a higher confidence, as one of this."""
        level = max(self._level((1 - confidence) / 2), _LEAST_SHOWN)
        return replace(self.inner.estimate(1 - 2 * level), confidence=confidence)

    def bound(self, alpha: float, side: Side) -> float:
        """Return the inner bound at the widened level."""
        return self.inner.bound(self._level(alpha), side)

    def p(self, limit: float, side: Side) -> float:
        """Return the level whose widened one is the inner p-value."""
        quantile = float(special.ndtri(self.inner.p(limit, side)))
        return float(special.stdtr(self.freedom, quantile))

    def detectable(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> float:
        """Return the inner value at the widened level."""
        return self.inner.detectable(limit, self._level(alpha), side=side)

    def fresh_examples(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> Fresh:
        """Return what the inner claim needs at the widened level."""
        return self.inner.fresh_examples(limit, self._level(alpha), side=side)

    def _level(self, alpha: float) -> float:
        return float(special.ndtr(student_quantile(self.freedom, alpha)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded(Wrapped):
    """Evidence of clustered units that is never stronger than that of a single flip.

    How flips cluster is learned from flips. Without a guard a model could break a few
    examples, each in a cluster of its own, and so prove a lower bound than by breaking
    none. What it could detect lies on the other side and needs no guard.

    Attributes:
        inner: Evidence that estimates how flips cluster.
        above: Evidence of the sample, did one unit flip in it and each of its clusters
            count once. It guards upper bounds; `None` where they need no guard.
        below: Likewise, of lower bounds.

    """

    above: Evidence | None = None
    below: Evidence | None = None

    def bound(self, alpha: float, side: Side) -> float:
        """Return the inner bound, or that of a single flip if it lies further out."""
        inner, guard = self.inner.bound(alpha, side), self._guard(side)
        return inner if guard is None else _outer(inner, guard.bound(alpha, side), side)

    def p(self, limit: float, side: Side) -> float:
        """Return the larger p-value."""
        inner, guard = self.inner.p(limit, side), self._guard(side)
        return inner if guard is None else max(inner, guard.p(limit, side))

    def _guard(self, side: Side) -> Evidence | None:
        return self.above if side == "at_most" else self.below


@dataclass(frozen=True, slots=True, kw_only=True)
class Wider(Sided):
    """Two ways to bound one number, of which the more careful counts everywhere."""

    first: Evidence
    second: Evidence

    @property
    def value(self) -> float:
        """The number; both agree on it."""
        return self.first.value

    def estimate(self, confidence: float = 0.95) -> Estimate:
        """Return the hull of both intervals; none where either has none."""
        one, other = self.first.estimate(confidence), self.second.estimate(confidence)
        return replace(
            one,
            low=_outer(one.low, other.low, "at_least"),
            high=_outer(one.high, other.high, "at_most"),
            method=f"wider of {one.method} and {other.method}",
            reason=joined(one.reason, other.reason),
        )

    def bound(self, alpha: float, side: Side) -> float:
        """Return the bound that lies further out."""
        one, other = self.first.bound(alpha, side), self.second.bound(alpha, side)
        return _outer(one, other, side)

    def p(self, limit: float, side: Side) -> float:
        """Return the larger p-value."""
        return max(self.first.p(limit, side), self.second.p(limit, side))

    def detectable(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> float:
        """Return the value that both would have proven."""
        one = self.first.detectable(limit, alpha, side=side)
        return _outer(one, self.second.detectable(limit, alpha, side=side), side)

    def fresh_examples(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> Fresh:
        """Return what satisfies both."""
        one = self.first.fresh_examples(limit, alpha, side=side)
        other = self.second.fresh_examples(limit, alpha, side=side)
        if one.examples is None or other.examples is None:
            return Fresh(reason=one.reason or other.reason)
        return max(one, other, key=lambda fresh: fresh.examples or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BesideSteady(Wrapped):
    """Evidence beside other that here bounds nothing: all its resamples are the same.

    What that could have proven still counts.
    """

    steady: Evidence

    def detectable(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> float:
        """Return the value that both would have proven."""
        one = self.inner.detectable(limit, alpha, side=side)
        return _outer(one, self.steady.detectable(limit, alpha, side=side), side)


def first_proven(
    worse: Callable[[float], Evidence],
    limit: float,
    alpha: float,
    *,
    side: Side = "at_most",
) -> float:
    """Return the first value that proves a breach as data get worse; nan without.

    Args:
        worse: The evidence of data from 0 (as observed) to 1 (the worst reachable).
        limit: The limit.
        alpha: The level of the proof.
        side: Which side of the limit is allowed.

    """

    def proven(share: float) -> bool:
        return worse(share).p(limit, _OTHER[side]) <= alpha

    return worse(least_that(proven, 0.0, 1.0)).value if proven(1.0) else math.nan


def joined(*reasons: str | None) -> str | None:
    """Return the distinct remarks as one, or `None` without any."""
    said = list(dict.fromkeys(reason for reason in reasons if reason))
    return "; ".join(said) if said else None


def unreachable(side: Side) -> Fresh:
    """Say why no number of examples proves a limit that is not kept."""
    word = "below" if side == "at_most" else "above"
    return Fresh(reason=f"the observed value is not {word} the limit")


def between_bounds(
    evidence: Evidence, confidence: float, *, method: str, n: int, reason: str | None
) -> Estimate:
    """Return a number with its two one-sided bounds as the interval."""
    alpha = (1 - confidence) / 2
    return Estimate(
        value=evidence.value,
        low=evidence.bound(alpha, "at_least"),
        high=evidence.bound(alpha, "at_most"),
        confidence=confidence,
        method=method,
        n=n,
        reason=reason,
    )


def scaled(
    evidence: Evidence, limit: float, alpha: float, *, side: Side, examples: int
) -> Fresh:
    """Return the fresh examples where the distance to a bound goes as 1/√n.

    The bound must reach the limit although the value strays towards it as far as it
    does with a chance of 1 − power.
    """
    if not kept(evidence.value, limit, side):
        return unreachable(side)
    levels = (alpha, 1 - POWER)
    strays = sum(abs(evidence.bound(at, side) - evidence.value) for at in levels)
    if not math.isfinite(strays):
        return Fresh(reason="there is no bound to start from")
    times = (strays / (limit - evidence.value)) ** 2
    if times * examples > MOST_EXAMPLES:
        return Fresh(reason=TOO_MANY)
    return Fresh(examples=math.ceil(times * examples), power=POWER)


def kept(value: float, limit: float, side: Side) -> bool:
    """Whether a value lies strictly on the right side of its limit."""
    return value < limit if side == "at_most" else value > limit


def within(reach: tuple[float, float], value: float) -> float:
    """Return the value where the number can reach it, else nan."""
    return value if reach[0] <= value <= reach[1] else math.nan


def _turned(number: float) -> float:
    """Return the number with its sign turned, and never −0."""
    return 0.0 - number


def _outer(one: float, other: float, side: Side) -> float:
    """Return what lies further out on a side; nan where either is."""
    if math.isnan(one) or math.isnan(other):
        return math.nan
    return max(one, other) if side == "at_most" else min(one, other)


def least_that(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Bisect for the least number from which on something holds."""
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
