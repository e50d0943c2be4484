"""How many examples a proof needs, and what a number of examples can prove.

All by search over the binomial distribution: the chance to certify is saw-toothed
in n, so a normal formula would name the wrong sample. Samples are of independent
units; multiply by the design effect where units share a cluster.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.core.estimate import defined
from compat_eval.statistics.intervals.change import ChangeEvidence
from compat_eval.statistics.intervals.proportion import (
    p_above,
    p_at_most,
    upper_bound,
)

_MOST_UNITS = 10**9
_SEARCHED = 500
_WINDOW = 100
_TEETH = 4
_NODES = 65
_FLIPS_SHOWN = 6
_TYPICAL = 100_000
_ROUNDING = 1e-9


def smallest_n(flips: int, limit: float, *, alpha: float = 0.05) -> int:
    """Return the smallest n that certifies a rate ≤ `limit` with so many flips.

    Examples:
        >>> smallest_n(0, 0.005), smallest_n(1, 0.005)
        (598, 947)

    Raises:
        ValueError: The limit is not in (0, 1).

    """
    _check(limit=limit)
    return int(_smallest_n(np.array([flips]), limit, alpha)[0])


def most_flips(n: int, limit: float, *, alpha: float = 0.05) -> int:
    """Return with how many flips n units still certify; −1 where none would do.

    Examples:
        >>> most_flips(597, 0.005), most_flips(598, 0.005), most_flips(947, 0.005)
        (-1, 0, 1)

    """
    return int(_most_flips(np.array([n]), limit, alpha)[0])


def chance_to_certify(
    n: int, rate: float, limit: float, *, alpha: float = 0.05
) -> float:
    """Return the chance that n units certify `limit` where the true rate is `rate`."""
    return float(_chances(np.array([n]), rate, limit, alpha)[0])


def lasting_n_with_power(
    rate: float, limit: float, *, power: float = 0.8, alpha: float = 0.05
) -> int | None:
    """Return the n from which on every sample has at least this chance to certify.

    The chance jumps where one more flip is allowed and falls until the next jump: the
    n is that of the first jump after which no fall ends below `power`. `None` where
    the rate is not below the limit, or more than a billion units would be needed.

    Examples:
        >>> lasting_n_with_power(0.0005, 0.005), lasting_n_with_power(0.003, 0.005)
        (947, 6979)

    """
    _check(limit=limit, power=power)
    if rate >= limit:
        return None
    window = _WINDOW + math.ceil(_TEETH / (1 - limit))
    most = math.ceil(_MOST_UNITS * limit)

    def low(flips: Ints) -> Bools:
        """Whether the chance is too low where the next jump is nearest."""
        ends = _smallest_n(flips + 1, limit, alpha) - 1
        return np.asarray(special.bdtr(flips.astype(float), ends, rate) < power)

    start = 0
    while start < most:
        lows = np.flatnonzero(low(np.arange(start, start + window, dtype=np.int64)))
        if len(lows) == 0 or lows[-1] < window // 2:
            first = start + int(lows[-1]) + 1 if len(lows) else start
            return smallest_n(first, limit, alpha=alpha)
        start = max(start + window // 2, _first_high(low, start, most) - window // 2)
    return None


def mean_chance_to_certify(
    n: float, share: float, rate: float, limit: float, *, alpha: float = 0.05
) -> float:
    """Return the chance where each of n examples gives a unit with chance `share`."""
    at = special.ndtri((np.arange(_NODES) + 0.5) / _NODES)
    units = np.rint(n * share + at * math.sqrt(n * share * (1 - share)))
    return float(np.mean(_chances(units.astype(np.int64), rate, limit, alpha)))


def smallest_n_with_power(
    rate: float, limit: float, *, power: float = 0.8, alpha: float = 0.05
) -> int | None:
    """Return the smallest n with at least this chance to certify.

    Because the chance falls a little after each jump, it is the n just at a jump:
    a slightly larger sample may do slightly worse. `None` where the rate is not
    below the limit, or more than a billion units would be needed.

    Examples:
        >>> smallest_n_with_power(0.0005, 0.005), smallest_n_with_power(0.003, 0.005)
        (947, 6279)

    Raises:
        ValueError: Rate, limit or power is out of range.

    """
    _check(limit=limit, power=power)
    if not 0 <= rate <= 1:
        raise ValueError(f"rate must be a fraction in [0, 1], got {rate}")
    if rate >= limit:
        return None
    flips = np.arange(_SEARCHED, dtype=np.int64)
    n = _smallest_n(flips, limit, alpha)
    enough = np.flatnonzero(special.bdtr(flips.astype(float), n, rate) >= power)
    if len(enough):
        return int(n[enough[0]])
    # With so many flips the saw's teeth are too fine to matter: bisect.
    low, high = _SEARCHED - 1, math.ceil(_MOST_UNITS * limit)
    if _power_at(high, rate, limit, alpha) < power:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if _power_at(middle, rate, limit, alpha) >= power:
            high = middle
        else:
            low = middle
    return smallest_n(high, limit, alpha=alpha)


def largest_certifiable_rate(
    n: int, limit: float, *, power: float = 0.8, alpha: float = 0.05
) -> float:
    """Return the largest true rate that n units certify with this chance.

    Nan where n is too small to certify even without a flip.

    Examples:
        >>> round(largest_certifiable_rate(947, 0.005), 5)
        0.00087

    """
    _check(limit=limit, power=power)
    k = most_flips(n, limit, alpha=alpha)
    return float(special.betaincinv(k + 1, n - k, 1 - power)) if k >= 0 else math.nan


def smallest_detectable_rate(
    n: int, limit: float, *, power: float = 0.8, alpha: float = 0.05
) -> float:
    """Return the smallest true rate whose breach of `limit` n units prove.

    It is the minimum detectable effect of a `detect` gate; nan where even a rate
    of 1 would not be proven.

    Examples:
        >>> round(smallest_detectable_rate(1000, 0.005), 4)
        0.0125

    """
    _check(limit=limit, power=power)
    low, high = -1, n + 1
    while high - low > 1:
        middle = (low + high) // 2
        if float(p_at_most(middle, n, limit)) < alpha:
            high = middle
        else:
            low = middle
    if high > n:
        return math.nan
    return float(special.betaincinv(high, n - high + 1, power))


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePlan:
    """A certifying gate on what breaks, or on a change in accuracy, before any sample.

    Attributes:
        limit: The gate's limit; of a change the least that is allowed.
        alpha: The level at which it is judged.
        power: The chance to pass.
        expected: The value that is believed to be true; `None` where nobody says.
        flips: Share of examples that flip either way, for a change; `None` for a share.
        design_effect: How many examples are worth one independent example.

    """

    limit: float
    alpha: float
    power: float = 0.8
    expected: float | None = None
    flips: float | None = None
    design_effect: float = 1.0

    def found(self, n: int | None = None) -> dict[str, Any]:
        """Return what the gate needs, and what n examples are good for, JSON-ready.

        `smallest`: the least numbers that certify with 0, 1, 2, … broken (of a share).
        `first`: the least number with which the gate passes with the chance `power`
        where the true value is `expected`. `needed`: that from which on every sample
        has this chance (it is saw-toothed). `None` where that was not asked, or none
        is enough. `given`: what n examples can show.
        """
        if self.flips is not None:
            needed = self._needed_change(self.flips)
            given = None if n is None else self._given_change(self.flips, n)
            return {"smallest": [], "first": needed, "needed": needed, "given": given}
        smallest = [
            smallest_n(k, self.limit, alpha=self.alpha) for k in range(_FLIPS_SHOWN)
        ]
        first = needed = None
        if self.expected is not None:
            first, needed = (
                self._examples(
                    search(
                        self.expected, self.limit, power=self.power, alpha=self.alpha
                    )
                )
                for search in (smallest_n_with_power, lasting_n_with_power)
            )
        return {
            "smallest": [math.ceil(units * self.design_effect) for units in smallest],
            "first": first,
            "needed": needed,
            "given": None if n is None else self._given_share(n),
        }

    def _examples(self, units: int | None) -> int | None:
        if units is None:
            return None
        return math.ceil(units * self.design_effect - _ROUNDING)

    def _needed_change(self, flips: float) -> int | None:
        if self.expected is None:
            return None
        fresh = self._typical(flips, _TYPICAL).fresh_examples(
            self.limit, self.alpha, side="at_least", power=self.power
        )
        return self._examples(fresh.examples)

    def _given_change(self, flips: float, n: int) -> dict[str, float | None]:
        found = self._typical(flips, n / self.design_effect)
        breach = found.detectable(self.limit, self.alpha, side="at_least")
        return {"detectable_change": defined(breach)}

    def _typical(self, flips: float, n: float) -> ChangeEvidence:
        """Return the evidence of n units with just the expected rates."""
        change = self.expected or 0.0
        return ChangeEvidence(
            kept=n * (1 - flips),
            broken=n * (flips - change) / 2,
            fixed=n * (flips + change) / 2,
            missed=0.0,
            n=math.ceil(n),
            examples=math.ceil(n),
            undefined_when="no units were compared",
        )

    def _given_share(self, n: int) -> dict[str, float | None]:
        units, limit = int(n / self.design_effect), self.limit
        power, alpha = self.power, self.alpha
        rate = largest_certifiable_rate(units, limit, power=power, alpha=alpha)
        breach = smallest_detectable_rate(units, limit, power=power, alpha=alpha)
        chance = None
        if self.expected is not None:
            chance = chance_to_certify(units, self.expected, limit, alpha=alpha)
        return {
            "most_flips": most_flips(units, limit, alpha=alpha),
            "bound_without_flips": float(upper_bound(0, units, alpha=alpha)),
            "largest_certifiable_rate": defined(rate),
            "smallest_detectable_rate": defined(breach),
            "chance": chance,
        }


def _smallest_n(flips: Ints, limit: float, alpha: float) -> Ints:
    """Bisect for the smallest n of each number of flips."""
    low = flips.astype(np.int64)
    # Chernoff: by then the chance of so few flips at the limit is below alpha.
    need = -math.log(alpha)
    high = np.ceil((flips + need + np.sqrt(need * need + 2 * need * flips)) / limit)
    high = np.maximum(high.astype(np.int64), low) + 1
    while np.any(high - low > 1):
        middle = (low + high) // 2
        enough = p_above(flips, middle, limit) <= alpha
        high = np.where(enough, middle, high)
        low = np.where(enough, low, middle)
    return np.asarray(high, np.int64)


def _most_flips(n: Ints, limit: float, alpha: float) -> Ints:
    """Bisect for the flips with which each n still certifies."""
    low, high = np.full(n.shape, -1), n.astype(np.int64)
    while np.any(high - low > 1):
        middle = (low + high) // 2
        enough = p_above(middle, n, limit) <= alpha
        low, high = np.where(enough, middle, low), np.where(enough, high, middle)
    return np.asarray(low, np.int64)


def _chances(n: Ints, rate: float, limit: float, alpha: float) -> Values:
    flips = _most_flips(n, limit, alpha)
    chance = special.bdtr(np.maximum(flips, 0).astype(float), n, rate)
    return np.asarray(np.where(flips >= 0, chance, 0.0))


def _first_high(low: Callable[[Ints], Bools], start: int, most: int) -> int:
    """Bisect for flips from which the chance is high, but for the saw's teeth."""
    end = most
    while end - start > 1:
        middle = (start + end) // 2
        start, end = (middle, end) if low(np.array([middle]))[0] else (start, middle)
    return end


def _power_at(flips: int, rate: float, limit: float, alpha: float) -> float:
    return float(special.bdtr(flips, smallest_n(flips, limit, alpha=alpha), rate))


def _check(*, limit: float, power: float = 0.5) -> None:
    if not 0 < limit < 1:
        raise ValueError(f"limit must be a fraction in (0, 1), got {limit}")
    if not 0 < power < 1:
        raise ValueError(f"power must be a fraction in (0, 1), got {power}")
