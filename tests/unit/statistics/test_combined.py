"""Evidence of several independent samples as one."""

import math

import numpy as np
import pytest
from scipy import stats

from compat_eval.statistics.combined import (
    WorstOfSeveral,
    fisher,
    largest_loss,
    smallest,
)
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.intervals.evidence import Evidence, Negated


def _loss(*counts: float) -> Evidence:
    table = FlipTable.of_counts(counts)
    return Negated(inner=evidence(table, FLIP_STATISTICS["accuracy_change"]))


def test_fisher_is_scipys() -> None:
    p_values = [0.03, 0.2, 0.7, 0.04]

    assert fisher(p_values) == pytest.approx(stats.combine_pvalues(p_values).pvalue)


def test_the_smallest_of_several_is_sidaks() -> None:
    assert smallest([0.01, 0.3, 0.9]) == pytest.approx(1 - 0.99**3)


def test_of_one_sample_the_largest_loss_is_mcnemars_test() -> None:
    expected = stats.binomtest(9, 12, alternative="greater").pvalue

    assert largest_loss([(9, 3)]) == pytest.approx(expected)


def test_the_largest_loss_is_what_drawing_finds() -> None:
    flips, rng = [(9, 3), (20, 22), (4, 0)], np.random.default_rng(3)
    observed = max((b - f) / math.sqrt(b + f) for b, f in flips)
    drawn = np.stack([rng.binomial(b + f, 0.5, 200_000) for b, f in flips])
    sizes = np.array([[b + f] for b, f in flips])
    largest = ((2 * drawn - sizes) / np.sqrt(sizes)).max(axis=0)

    found = largest_loss(flips)

    assert found == pytest.approx((largest >= observed - 1e-9).mean(), abs=0.004)


def test_without_flips_nothing_is_lost() -> None:
    assert largest_loss([(0, 0), (0, 0)]) == 1.0


@pytest.mark.parametrize("combination", ["fisher", "max_drop"])
def test_the_worst_of_several_is_detected_and_never_certified(
    combination: str,
) -> None:
    found = WorstOfSeveral(
        samples=(("good", _loss(900, 5, 9, 86)), ("bad", _loss(850, 60, 5, 85))),
        combination="fisher" if combination == "fisher" else "max_drop",
    )

    assert found.value == pytest.approx(0.055)
    assert found.p_at_most(0.0) < 1e-6
    assert found.p_above(0.5) == 1.0
    assert math.isnan(found.upper(0.05))
    assert 0.0 < found.lower(0.05) < 0.055
    assert "of bad" in str(found.estimate().reason)


def test_the_bound_of_the_worst_agrees_with_its_p_value() -> None:
    found = WorstOfSeveral(
        samples=(("a", _loss(850, 60, 5, 85)), ("b", _loss(90, 5, 1, 4))),
        combination="fisher",
    )

    assert found.p_at_most(found.lower(0.05)) == pytest.approx(0.05, rel=1e-3)


def test_samples_too_small_to_break_a_limit_detect_nothing() -> None:
    found = WorstOfSeveral(samples=(("a", _loss(2, 0, 0, 1)),), combination="max_drop")

    assert math.isnan(found.detectable(0.0, 0.01))
