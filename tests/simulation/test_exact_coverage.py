"""Coverage of intervals for independent units, by enumeration: nothing is drawn."""

import numpy as np
import pytest
from scipy.stats import binom, multinomial

from compat_eval.core.arrays import Bools, Values
from compat_eval.statistics.intervals.change import (
    newcombe,
    p_change_above,
    p_change_at_most,
)
from compat_eval.statistics.intervals.proportion import (
    clopper_pearson,
    lower_bound,
    modified_wilson,
    upper_bound,
    wilson,
)
from compat_eval.statistics.intervals.relative import RelativeRateEvidence
from compat_eval.statistics.power import most_flips

RATES = np.concatenate([[0.0005, 0.001, 0.003], np.linspace(0.005, 0.995, 100)])
PAIRS = [
    (0.9, 0.02, 0.02, 0.06),
    (0.5, 0.1, 0.1, 0.3),
    (0.5, 0.01, 0.05, 0.44),
    (0.3, 0.2, 0.4, 0.1),
    (0.95, 0.03, 0.01, 0.01),
    (0.25, 0.25, 0.25, 0.25),
    (0.6, 0.3, 0.05, 0.05),
]


def covered(inside: Values | Bools, n: int, rate: float) -> float:
    return float(binom.pmf(np.arange(n + 1), n, rate) @ inside)


@pytest.mark.parametrize("n", [1, 5, 20, 100, 1000])
def test_one_sided_clopper_pearson_never_covers_too_rarely(n: int) -> None:
    k = np.arange(n + 1)
    high, low = upper_bound(k, n), lower_bound(k, n)

    for rate in RATES:
        assert covered(high >= rate, n, rate) >= 0.95 - 1e-9
        assert covered(low <= rate, n, rate) >= 0.95 - 1e-9


@pytest.mark.parametrize("n", [20, 100, 1000])
def test_two_sided_intervals_of_a_share(n: int) -> None:
    """Wilson's covers 95 % on average, Clopper and Pearson's everywhere."""
    k = np.arange(n + 1)
    inner, outer = modified_wilson(k, n), clopper_pearson(k, n)

    by_wilson = [covered((inner[0] <= r) & (r <= inner[1]), n, r) for r in RATES]
    by_exact = [covered((outer[0] <= r) & (r <= outer[1]), n, r) for r in RATES]

    assert 0.945 <= np.mean(by_wilson) <= 0.97
    assert min(by_wilson) >= 0.92  # Wilson's own falls to .83 near 0 and 1
    assert min(by_exact) >= 0.95 - 1e-9


def test_a_few_of_thirty_examples() -> None:
    """At a rate of .5 % Wilson's lower end misses where one example broke."""
    k = np.arange(31)
    plain, shown = wilson(k, 30), modified_wilson(k, 30)

    assert covered((plain[0] <= 0.005) & (plain[1] >= 0.005), 30, 0.005) < 0.87
    assert covered((shown[0] <= 0.005) & (shown[1] >= 0.005), 30, 0.005) > 0.98


@pytest.mark.parametrize("n", [15, 30])
def test_newcombes_interval_of_a_change(n: int) -> None:
    tables = _tables(n)
    intervals = np.array([newcombe(*table) for table in tables.tolist()])

    found = []
    for rates in PAIRS:
        change = rates[2] - rates[1]
        inside = (intervals[:, 0] <= change) & (change <= intervals[:, 1])
        found.append(multinomial.pmf(tables, n, rates) @ inside)

    assert min(found) >= 0.93
    assert np.mean(found) >= 0.95


@pytest.mark.parametrize("n", [8, 25])
def test_one_sided_melded_bounds_of_a_change(n: int) -> None:
    flips = [(b, c) for b in range(n + 1) for c in range(n + 1 - b)]

    for kept, broken, fixed, missed in PAIRS:
        change = fixed - broken
        three = [(b, c, n - b - c) for b, c in flips]
        chance = multinomial.pmf(three, n, [broken, fixed, kept + missed])
        above = np.array([p_change_above(b, c, n, change) > 0.05 for b, c in flips])
        below = np.array([p_change_at_most(b, c, n, change) > 0.05 for b, c in flips])

        assert chance @ above >= 0.945
        assert chance @ below >= 0.945


@pytest.mark.slow
def test_one_sided_melded_bounds_of_relative_nfr(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("compat_eval.statistics.intervals.relative._DECIDED", 2000)
    n = 14
    tables = [t for t in _tables(n).tolist() if (t[0] + t[1]) * (t[1] + t[3])]
    evidence = [_relative(*table) for table in tables]

    for rates in PAIRS:
        a, b, _, d = rates
        truth = b / ((a + b) * (b + d))
        chance = multinomial.pmf(tables, n, rates)
        chance /= chance.sum()  # of the samples in which it is defined
        above = np.array([found.p_above(truth) > 0.05 for found in evidence])
        below = np.array([found.p_at_most(truth) > 0.05 for found in evidence])

        assert chance @ above >= 0.945
        assert chance @ below >= 0.945


@pytest.mark.parametrize("limit", [0.005, 0.02, 0.1])
@pytest.mark.parametrize("n", [150, 600, 5000])
def test_a_gate_never_certifies_a_broken_limit_too_often(limit: float, n: int) -> None:
    k = most_flips(n, limit)

    assert binom.cdf(k, n, limit * 1.0001) <= 0.05


def _relative(a: int, b: int, c: int, d: int) -> RelativeRateEvidence:
    n = a + b + c + d
    return RelativeRateEvidence(
        broken=(b, a + b),
        missed=(d, c + d),
        old_right=(a + b, n),
        value=b * n / ((a + b) * (b + d)),
        n=n,
        examples=n,
        undefined_when="",
    )


def _tables(n: int) -> Values:
    return np.array(
        [
            (a, b, c, n - a - b - c)
            for a in range(n + 1)
            for b in range(n + 1 - a)
            for c in range(n + 1 - a - b)
        ]
    )
