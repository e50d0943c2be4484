"""Coverage of bounds and error of gates where units share clusters, by drawing.

The full grid is `benchmarks/coverage.py`.
"""

import math
from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
import pytest

from benchmarks.many_samples import korn_graubard
from compat_eval.core.verdict import Verdict
from compat_eval.gates import Gate, judge
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.intervals.evidence import Evidence
from tests.simulation.populations import Kind, cells, table, table_of

DRAWS = 1500
ASKED = 0.94
_CORRECTIONS: tuple[Literal["holm", "none"], ...] = ("holm", "none")
CHANCE = 3 * math.sqrt(ASKED * (1 - ASKED) / DRAWS)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["equal", "sentences", "heavy"])
@pytest.mark.parametrize(
    ("n_clusters", "size", "broken", "icc"),
    [
        (10, 5, 0.1, 0.1),
        (30, 30, 0.1, 0.5),
        (100, 30, 0.02, 0.1),
        (100, 30, 0.003, 1.0),
        (300, 5, 0.02, 0.0),
        (300, 10, 0.4, 0.3),
    ],
)
def test_bounds_of_nfr_cover(
    n_clusters: int, size: int, broken: float, icc: float, *, kind: Kind
) -> None:
    rng = np.random.default_rng(0)
    above = below = 0
    for _ in range(DRAWS):
        drawn = table(
            rng, n_clusters=n_clusters, size=size, broken=broken, icc=icc, kind=kind
        )
        found = evidence(drawn, FLIP_STATISTICS["nfr"])
        above += found.p_above(broken) > 0.05
        below += found.p_at_most(broken) > 0.05

    assert above / DRAWS >= ASKED - CHANCE
    assert below / DRAWS >= ASKED - CHANCE


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["equal", "sentences", "heavy"])
@pytest.mark.parametrize(
    ("n_clusters", "size", "flips", "icc"),
    [
        (10, 5, 0.1, 0.1),
        (30, 30, 0.05, 0.5),
        (100, 30, 0.01, 0.1),
        (300, 5, 0.01, 1.0),
    ],
)
def test_the_test_of_no_change_errs_as_stated(
    n_clusters: int, size: int, flips: float, icc: float, *, kind: Kind
) -> None:
    rng = np.random.default_rng(0)
    above = below = 0
    for _ in range(DRAWS):
        drawn = table(
            rng,
            n_clusters=n_clusters,
            size=size,
            broken=flips,
            fixed=flips,
            icc=icc,
            kind=kind,
        )
        found = evidence(drawn, FLIP_STATISTICS["accuracy_change"])
        above += found.p_above(0.0) > 0.05
        below += found.p_at_most(0.0) > 0.05

    assert above / DRAWS >= ASKED - CHANCE
    assert below / DRAWS >= ASKED - CHANCE


@pytest.mark.slow
@pytest.mark.parametrize("change", [-0.04, 0.06])
def test_bounds_of_a_change_cover(change: float) -> None:
    rng = np.random.default_rng(0)
    draws, above, below = 400, 0, 0
    for _ in range(draws):
        drawn = table(
            rng,
            n_clusters=60,
            size=10,
            broken=0.05 - min(change, 0),
            fixed=0.05 + max(change, 0),
            icc=0.2,
            kind="sentences",
        )
        found = evidence(drawn, FLIP_STATISTICS["accuracy_change"])
        above += found.p_above(change) > 0.05
        below += found.p_at_most(change) > 0.05

    chance = 3 * math.sqrt(ASKED * (1 - ASKED) / draws)
    assert above / draws >= ASKED - chance
    assert below / draws >= ASKED - chance


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_clusters", "broken", "icc", "kind"),
    [
        (10, 0.3, 0.2, "equal"),
        (50, 0.05, 0.2, "equal"),
        (50, 0.1, 0.2, "equal"),
        (50, 0.1, 0.05, "sentences"),
        (400, 0.02, 0.05, "sentences"),
        (400, 0.1, 0.05, "sentences"),
    ],
)
def test_bounds_are_hardly_wider_than_korn_and_graubards(
    n_clusters: int, broken: float, icc: float, kind: Kind
) -> None:
    draws = 300
    drawn = cells(
        np.random.default_rng(0),
        n_clusters=n_clusters * draws,
        size=10,
        broken=broken,
        icc=icc,
        kind=kind,
    ).reshape(draws, n_clusters, 3)
    low, high = korn_graubard(drawn, 0.05)
    found = [evidence(table_of(one), FLIP_STATISTICS["nfr"]) for one in drawn]
    ours = [one.upper(0.05) - one.lower(0.05) for one in found]

    assert np.mean(high - low) < np.mean(ours) <= 1.3 * np.mean(high - low)


@pytest.mark.slow
def test_mcnemar_on_clustered_units_would_err_far_too_often() -> None:
    """Why a clustered level gets another test: units as if independent."""
    rng = np.random.default_rng(0)
    naive = honest = 0
    for _ in range(400):
        drawn = table(
            rng, n_clusters=60, size=20, broken=0.1, fixed=0.1, icc=0.5, kind="equal"
        )
        alone = FlipTable.of_counts(drawn.counts.tolist())
        change = FLIP_STATISTICS["accuracy_change"]
        naive += evidence(alone, change).p_at_most(0.0) <= 0.05
        honest += evidence(drawn, change).p_at_most(0.0) <= 0.05

    assert naive / 400 > 0.2
    assert honest / 400 <= 0.055 + CHANCE * math.sqrt(DRAWS / 400)


@pytest.mark.slow
@pytest.mark.usefixtures("verdicts_only")
def test_any_wrong_pass_of_three_gates() -> None:
    """With Holm at most 5 % of runs have a wrong pass; without, twice that."""
    rng, runs = np.random.default_rng(0), 500
    gates = [Gate(quantity="nfr", at_most=0.05, level=name) for name in "abc"]
    wrong = dict.fromkeys(_CORRECTIONS, 0)
    for _ in range(runs):
        flips = dict(
            zip("abc", rng.binomial(2000, 0.0502, size=3).tolist(), strict=True)
        )
        for correction in _CORRECTIONS:
            results = judge(gates, _finder(flips), correction=correction)
            wrong[correction] += any(r.verdict is Verdict.PASS for r in results)

    assert wrong["holm"] / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    assert wrong["none"] / runs > 0.09


def _finder(flips: Mapping[str, int]) -> Callable[[Gate], Evidence]:
    def find(gate: Gate) -> Evidence:
        k = flips[str(gate.level)]
        counts = FlipTable.of_counts([2000 - k, k, 0, 0])
        return evidence(counts, FLIP_STATISTICS["nfr"])

    return find


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "heavy", "weight", "rates"),
    [
        (200, 0.1, 10, (0.08, 0.02)),
        (200, 0.1, 10, (0.085, 0)),
        (1000, 0.02, 20, (0.1, 0.01)),
        (200, 0.1, 10, (0.005, 0.05)),
    ],
)
def test_bounds_cover_where_the_few_that_weigh_most_break_more_or_less(
    n: int, heavy: float, weight: int, rates: tuple[float, float]
) -> None:
    rng, above, below, draws = np.random.default_rng(0), 0, 0, 600
    mass = heavy * weight
    true = (mass * rates[0] + (1 - heavy) * rates[1]) / (mass + 1 - heavy)
    for _ in range(draws):
        at = rng.random(n) < heavy
        codes = (rng.random(n) < np.where(at, *rates)).astype(np.int64)
        found = evidence(
            FlipTable.of(codes, weights=np.where(at, float(weight), 1.0)),
            FLIP_STATISTICS["nfr"],
        )
        above += found.p_above(true) > 0.05
        below += found.p_at_most(true) > 0.05

    chance = 3 * math.sqrt(ASKED * (1 - ASKED) / draws)
    assert above / draws >= ASKED - chance
    assert below / draws >= ASKED - chance
