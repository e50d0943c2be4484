"""A release errs no more often than one gate, however many suites it has."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator

from compat_eval.comparison.pooled import added
from compat_eval.gates import ALONE, Finding, Gate, OtherClaims, claims_of, judge
from compat_eval.gates.judge import levels
from compat_eval.statistics.combined import Combination, WorstOfSeveral
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.intervals.evidence import Evidence, Negated
from tests.simulation.populations import table

ALPHA = 0.05
SIZES = (60, 150, 400, 1000, 3000)
SUITES = 20
NFR = Gate(quantity="nfr", at_most=0.03)
CHANGE = Gate(quantity="accuracy_change", at_least=-0.01, semantics="certify")


def independent(rng: Generator, n: int, broken: float, fixed: float) -> FlipTable:
    rates = [0.8 - broken, broken, fixed, 0.2 - fixed]
    return FlipTable.of_counts(rng.multinomial(n, rates).tolist())


def of(sample: FlipTable, gate: Gate) -> Evidence:
    return evidence(sample, FLIP_STATISTICS[gate.quantity])


def claims_of_one(sample: FlipTable, gate: Gate) -> OtherClaims:
    return claims_of(
        [gate], _in_turn([of(sample, gate)]), known=lambda _: FLIP_STATISTICS
    )


def verdicts(samples: list[FlipTable], gate: Gate) -> list[str]:
    """Judge each suite among the claims of all others, as a release does."""
    claims = [claims_of_one(sample, gate) for sample in samples]
    found = []
    for at, sample in enumerate(samples):
        others = sum((c for i, c in enumerate(claims) if i != at), start=ALONE)
        (result,) = judge(
            [gate], _in_turn([of(sample, gate)]), alpha=ALPHA, others=others
        )
        found.append(str(result.verdict))
    return found


def rejected(p_values: list[float]) -> int:
    """Return how many claims Holm's method proves."""
    found = levels(p_values, alpha=ALPHA, correction="holm")
    return sum(p <= level for p, level in zip(p_values, found, strict=True))


def at_most(count: int, draws: int) -> bool:
    """Say whether an error rate may be alpha, as far as so many draws can tell."""
    return count / draws <= ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / draws)


@pytest.mark.usefixtures("verdicts_only")
def test_suites_that_are_judged_apart_end_as_if_judged_at_once() -> None:
    rng = np.random.default_rng(5)
    samples = [independent(rng, n, 0.01, 0.02) for n in SIZES]
    at_once = judge(
        [NFR] * len(samples), _in_turn([of(one, NFR) for one in samples]), alpha=ALPHA
    )

    assert verdicts(samples, NFR) == [str(one.verdict) for one in at_once]


def _in_turn(found: list[Evidence]) -> Callable[[Gate], Finding]:
    each = iter(found)
    return lambda _: next(each)


@pytest.mark.parametrize("gate", [NFR, CHANGE], ids=lambda gate: gate.quantity)
def test_no_more_than_alpha_of_releases_have_a_wrong_verdict(gate: Gate) -> None:
    """Every suite lies at its limit, so that each pass and each fail is wrong."""
    rng, draws, passed, failed = np.random.default_rng(11), 150, 0, 0
    broken, fixed = (0.03, 0.02) if gate is NFR else (0.025, 0.015)
    for _ in range(draws):
        samples = [
            independent(rng, SIZES[at % len(SIZES)], broken, fixed)
            for at in range(SUITES)
        ]
        claims = [claims_of_one(sample, gate) for sample in samples]
        passed += rejected([one.kept[0] for one in claims]) > 0
        failed += rejected([one.broken[0] for one in claims]) > 0

    assert at_most(passed, draws)
    assert at_most(failed, draws)


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize("gate", [NFR, CHANGE], ids=lambda gate: gate.quantity)
def test_pooled_suites_pass_wrongly_no_more_often_than_alpha(
    gate: Gate, *, alike: bool, clustered: bool
) -> None:
    """Suites differ in size and in what they lose; all together lie at the limit."""
    rng, draws, passed = np.random.default_rng(12), 400, 0
    sizes = (200, 400, 900, 1500)
    shares = np.full(4, 0.25) if alike else np.array(sizes) / sum(sizes)
    tilt = np.array([1.6, 0.4, 1.2, 0.8])
    tilt /= (tilt * shares).sum()
    broken, fixed = (0.03, 0.02) if gate is NFR else (0.025, 0.015)
    for _ in range(draws):
        samples = []
        for n, by in zip(sizes, tilt, strict=True):
            rates = (broken * by, fixed * by)
            if clustered:
                samples.append(
                    table(
                        rng,
                        n_clusters=n // 5,
                        size=5,
                        broken=rates[0],
                        fixed=rates[1],
                        icc=0.2,
                        kind="equal",
                    )
                )
            else:
                samples.append(independent(rng, n, *rates))
        (p_kept,) = claims_of_one(added(samples, alike=alike), gate).kept
        passed += p_kept <= ALPHA

    assert at_most(passed, draws)


@pytest.mark.parametrize("combination", ["fisher", "max_drop"])
def test_without_a_loss_none_is_found_more_often_than_alpha(
    combination: Combination,
) -> None:
    rng, draws, failed = np.random.default_rng(13), 500, 0
    for _ in range(draws):
        samples = [
            independent(rng, SIZES[at % len(SIZES)], 0.02, 0.02) for at in range(8)
        ]
        found = WorstOfSeveral(
            samples=tuple(
                (str(at), Negated(inner=of(one, CHANGE)))
                for at, one in enumerate(samples)
            ),
            combination=combination,
            flips=tuple((int(s.counts[1]), int(s.counts[2])) for s in samples),
        )
        failed += found.p_at_most(0.0) <= ALPHA

    assert at_most(failed, draws)
