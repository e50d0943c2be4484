"""How often gates err at their limit, and fresh samples decide: counted by drawing."""

import math
from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np
import pytest
from scipy.stats import binom

from benchmarks.fresh_samples import fresh_samples
from compat_eval.core.verdict import Verdict
from compat_eval.gates import Gate, judge
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.intervals.evidence import Evidence, Side
from tests.simulation.populations import Kind, table

ALPHA = 0.05


def error(share: float, draws: int) -> float:
    """Three standard errors of a share that was counted in so many draws."""
    return 3 * math.sqrt(share * (1 - share) / draws)


def finder(drawn: FlipTable) -> Callable[[Gate], Evidence]:
    return lambda gate: evidence(drawn, FLIP_STATISTICS[gate.quantity])


@pytest.mark.usefixtures("verdicts_only")
@pytest.mark.parametrize("n", [50, 200, 1000])
@pytest.mark.parametrize("limit", [0.01, 0.05, 0.3])
def test_independent_gates_err_in_at_most_5_percent_at_the_limit(
    n: int, limit: float
) -> None:
    """By enumeration: a wrong pass just above the limit, a wrong failure at it."""
    certify = Gate(quantity="nfr", at_most=limit)
    detect = Gate(quantity="nfr", at_most=limit, semantics="detect")
    passes = fails = 0.0
    likely = range(int(binom.ppf(1 - 1e-9, n, limit)) + 1)
    for k in likely:
        found = finder(FlipTable.of_counts([n - k, k, 0, 0]))
        chance = float(binom.pmf(k, n, limit))
        passes += chance * (judge([certify], found)[0].verdict is Verdict.PASS)
        fails += chance * (judge([detect], found)[0].verdict is Verdict.FAIL)

    assert passes <= ALPHA + 1e-9
    assert fails <= ALPHA + 1e-9


@pytest.mark.slow
@pytest.mark.usefixtures("verdicts_only")
@pytest.mark.parametrize("kind", ["equal", "sentences"])
@pytest.mark.parametrize(("n_clusters", "icc"), [(12, 0.1), (50, 0.3)])
def test_clustered_gates_err_in_at_most_5_percent_at_the_limit(
    n_clusters: int, icc: float, *, kind: Kind
) -> None:
    rng, draws, broken = np.random.default_rng(2), 300, 0.1
    certify = Gate(quantity="nfr", at_most=broken)
    detect = Gate(quantity="accuracy_change", at_least=-broken, semantics="detect")
    passes = fails = 0
    for _ in range(draws):
        drawn = table(
            rng, n_clusters=n_clusters, size=10, broken=broken, icc=icc, kind=kind
        )
        passes += judge([certify], finder(drawn))[0].verdict is Verdict.PASS
        fails += judge([detect], finder(drawn))[0].verdict is Verdict.FAIL

    assert passes / draws <= ALPHA + error(ALPHA, draws)
    assert fails / draws <= ALPHA + error(ALPHA, draws)


@pytest.mark.slow
@pytest.mark.usefixtures("verdicts_only")
def test_any_wrong_verdict_of_a_family_at_its_limits() -> None:
    """Five gates of one table, all at their limits: at most 5 % of each error."""
    rng, draws = np.random.default_rng(3), 600
    rates = np.array([0.85, 0.03, 0.03, 0.09])
    family = [
        Gate(quantity="nfr", at_most=0.03),
        Gate(quantity="nfi", at_most=0.25),
        Gate(quantity="btc", at_least=0.85 / 0.88),
        Gate(quantity="accuracy_change", at_least=0, semantics="certify"),
        Gate(quantity="accuracy_new", at_least=0.88),
    ]
    passes = fails = 0
    for counts in rng.multinomial(600, rates, size=draws):
        results = judge(family, finder(FlipTable.of_counts(counts.tolist())))
        certified = [r.verdict for r in results if r.gate.semantics == "certify"]
        passes += Verdict.PASS in certified
        fails += any(result.verdict is Verdict.FAIL for result in results)

    assert passes / draws <= ALPHA + error(ALPHA, draws)
    assert fails / draws <= ALPHA + error(ALPHA, draws)


RATES = (0.9, 0.02, 0.03, 0.05)  # kept, broken, fixed, missed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("quantity", "limit", "side", "alpha", "rates"),
    [
        ("nfr", 0.03, "at_most", 0.05, RATES),
        ("nfr", 0.03, "at_most", 0.0125, RATES),
        ("nfr", 0.015, "at_least", 0.05, RATES),  # proves the breach of 1.5 %
        ("btc", 0.97, "at_least", 0.05, RATES),
        ("nfi", 0.4, "at_most", 0.05, RATES),
        ("nfi", 0.2, "at_most", 0.05, (0.9, 0.005, 0.02, 0.075)),
        ("accuracy_new", 0.91, "at_least", 0.025, RATES),
        ("accuracy_change", -0.01, "at_least", 0.05, RATES),
        ("accuracy_change", 0.0, "at_least", 0.05, RATES),
        ("accuracy_change", -0.005, "at_least", 0.0125, (0.94, 0.02, 0.02, 0.02)),
    ],
)
def test_a_fresh_sample_decides_as_often_as_said(
    quantity: str, limit: float, side: Side, alpha: float, rates: Sequence[float]
) -> None:
    rng, draws = np.random.default_rng(4), 2000
    expected = FlipTable.of_counts([1000 * rate for rate in rates])
    advice = evidence(expected, FLIP_STATISTICS[quantity]).fresh_examples(
        limit, alpha, side=side
    )
    assert advice.examples is not None

    decided = 0
    for counts in rng.multinomial(advice.examples, rates, size=draws):
        found = evidence(
            FlipTable.of_counts(counts.tolist()), FLIP_STATISTICS[quantity]
        )
        p = found.p_above(limit) if side == "at_most" else found.p_at_most(limit)
        decided += p <= alpha

    assert advice.power >= 0.8
    assert decided / draws == pytest.approx(advice.power, abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["equal", "sentences", "heavy"])
@pytest.mark.parametrize(
    ("quantity", "rates", "icc", "limit"),
    [
        ("nfr", (0.02, 0.0), 0.1, 0.03),
        ("nfr", (0.1, 0.0), 0.3, 0.15),
        ("accuracy_change", (0.05, 0.05), 0.2, -0.03),
        ("nfr", (0.01, 0.0), 0.3, 0.1),  # few clusters would do
    ],
)
def test_a_fresh_sample_of_clusters_decides_as_often_as_said(
    quantity: str, rates: tuple[float, float], icc: float, limit: float, *, kind: Kind
) -> None:
    """What was observed is true: fresh clusters are drawn from those of the first."""
    rng, draws = np.random.default_rng(5), 300
    broken, fixed = rates
    first = table(
        rng, n_clusters=400, size=10, broken=broken, fixed=fixed, icc=icc, kind=kind
    )
    side: Side = "at_most" if quantity == "nfr" else "at_least"
    statistic = FLIP_STATISTICS[quantity]
    advice = evidence(first, statistic).fresh_examples(limit, ALPHA, side=side)
    assert advice.examples is not None

    drawn = islice(fresh_samples(rng, first, advice.examples), draws)
    decided = sum(evidence(one, statistic).p(limit, side) <= ALPHA for one in drawn)

    assert advice.power >= 0.8
    assert decided / draws >= advice.power - 0.03 - error(0.8, draws)


@pytest.mark.slow
def test_judging_the_old_examples_again_errs_more_often_than_a_fresh_sample() -> None:
    """Why the advice is never a number to add."""
    rng, draws, limit, first, more = np.random.default_rng(6), 4000, 0.02, 400, 400
    gate = Gate(quantity="nfr", at_most=limit)

    def passes(broken: int, n: int) -> bool:
        counts = FlipTable.of_counts([n - broken, broken, 0, 0])
        return evidence(counts, FLIP_STATISTICS["nfr"]).p_above(gate.limit) <= ALPHA

    k = rng.binomial(first, limit, size=draws).tolist()
    added = rng.binomial(more, limit, size=draws).tolist()
    once = np.mean([passes(a, first) for a in k])
    again = np.mean(
        [
            passes(a, first) or passes(a + b, first + more)
            for a, b in zip(k, added, strict=True)
        ]
    )

    assert once <= ALPHA + error(ALPHA, draws)
    assert again > 1.4 * once
