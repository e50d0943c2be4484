"""How many examples a proof needs, and what a number of examples can prove.

All by search over the binomial distribution: the chance to certify is saw-toothed
in n, so a normal formula would name the wrong sample. Samples are of independent
units; multiply by the design effect where units share a cluster.
"""

import math

import numpy as np
from scipy import special

from compat_eval.core.arrays import Ints
from compat_eval.stats.proportion import p_above, p_at_most

MOST_UNITS = 10**9
_SEARCHED = 500
_TEETH = 100


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
    low, high = -1, n
    while high - low > 1:
        middle = (low + high) // 2
        if float(p_above(middle, n, limit)) <= alpha:
            low = middle
        else:
            high = middle
    return low


def chance_to_certify(
    n: int, rate: float, limit: float, *, alpha: float = 0.05
) -> float:
    """Return the chance that n units certify `limit` where the true rate is `rate`."""
    k = most_flips(n, limit, alpha=alpha)
    return float(special.bdtr(k, n, rate)) if k >= 0 else 0.0


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
    low, high = _SEARCHED - 1, math.ceil(MOST_UNITS * limit)
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


def smallest_n_at_rate(
    rate: float, limit: float, *, alpha: float = 0.05, at_least: float = 0
) -> int | None:
    """Return the smallest n that certifies where flips keep coming at `rate`.

    Of n units ⌈rate · n⌉ are taken to flip. `None` where the rate is not below
    the limit, or more than a billion units would be needed.

    Examples:
        >>> smallest_n_at_rate(0, 0.01), smallest_n_at_rate(1 / 400, 0.01, at_least=400)
        (299, 628)

    """
    if rate >= limit:
        return None
    start = math.ceil(at_least)
    if rate <= 0:
        return max(start, smallest_n(0, limit, alpha=alpha))
    about = _smallest_n_of_many(rate, limit, alpha, start)
    first = math.ceil(rate * start - 1e-9)
    if about is None or rate * about - first > _SEARCHED:
        return about
    flips = np.arange(first, math.ceil(rate * about) + _TEETH, dtype=np.int64)
    least = np.maximum(_smallest_n(flips, limit, alpha), start)
    # So many flips are seen only from this n on ...
    least = np.maximum(least, np.floor((flips - 1) / rate + 1e-9).astype(np.int64) + 1)
    # ... and only up to that one.
    fits = np.flatnonzero(least <= flips / rate + 1e-9)
    return int(least[fits[0]]) if len(fits) else about


def further_examples(
    flips: int, n: int, limit: float, *, alpha: float = 0.05
) -> tuple[int | None, str | None]:
    """Return how many more independent examples certify at the observed rate.

    `None` with the reason where no number would.

    Examples:
        >>> further_examples(0, 200, 0.01)
        (99, None)
        >>> further_examples(3, 200, 0.01)
        (None, 'the observed 0.015 is not below the limit 0.01')

    """
    if n <= 0:
        return smallest_n(0, limit, alpha=alpha), None
    if flips / n >= limit:
        return None, f"the observed {flips / n:.4g} is not below the limit {limit:.4g}"
    needed = smallest_n_at_rate(flips / n, limit, alpha=alpha, at_least=n)
    return (needed - n, None) if needed is not None else (None, most_examples_text())


def most_examples_text() -> str:
    """Say that the number is beyond reach."""
    return "more than a billion examples would be needed at the observed rate"


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


def _smallest_n_of_many(
    rate: float, limit: float, alpha: float, start: int
) -> int | None:
    """Bisect with fractional flips, where there are too many to try each."""
    low, high = start, MOST_UNITS
    if float(p_above(rate * high, high, limit)) > alpha:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if float(p_above(rate * middle, middle, limit)) <= alpha:
            high = middle
        else:
            low = middle
    return high


def _power_at(flips: int, rate: float, limit: float, alpha: float) -> float:
    return float(special.bdtr(flips, smallest_n(flips, limit, alpha=alpha), rate))


def _check(*, limit: float, power: float = 0.5) -> None:
    if not 0 < limit < 1:
        raise ValueError(f"limit must be a fraction in (0, 1), got {limit}")
    if not 0 < power < 1:
        raise ValueError(f"power must be a fraction in (0, 1), got {power}")
