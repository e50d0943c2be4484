"""Error rates where examples are sampled several times: counted by drawing.

Samples of an example are independent draws of its success rate, which differ between
examples: the examples are what was drawn at random.
"""

import math

import numpy as np
import pytest

from compat_eval.core.grades import Grades, Level, cells
from compat_eval.core.rows import CodedRows
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.families.scores import score_statistics, score_sums
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.paired_rows import PairedRows

DRAWS, ALPHA = 400, 0.05
MOST = ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / DRAWS)
SAMPLE = Level("sample", "sample", "samples")
SUCCESS = Level("success", "example", "examples", scale="score")


def sides(
    rng: np.random.Generator, n: int, k: int, shape: float
) -> tuple[Grades, Grades]:
    """Return samples of two models with the same success rates, in the mean of all."""
    rates = rng.beta(shape, shape, (2, n))
    rates[1] = np.where(rng.random(n) < 0.7, rates[0], rates[1])
    right = rng.random((2, n, k)) < rates[:, :, None]
    offsets = np.arange(n + 1) * k
    old, new = (Grades(one.ravel(), offsets) for one in right)
    return old, new


def nfr_of(shape: float) -> float:
    """Return the share of samples that break: E[p (1 − q)], by hand.

    E[p²] of a symmetric Beta is ¼ + ¼ / (2 shape + 1); three tenths are another draw.
    """
    second = 0.25 + 0.25 / (2 * shape + 1)
    return 0.7 * (0.5 - second) + 0.3 * 0.25


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "k", "shape"), [(60, 4, 0.5), (120, 4, 0.2), (120, 10, 1.0), (300, 2, 0.5)]
)
def test_gates_on_samples_err_as_stated(n: int, k: int, shape: float) -> None:
    rng = np.random.default_rng(0)
    passed = failed = fell = rose = 0
    for _ in range(DRAWS):
        old, new = sides(rng, n, k, shape)
        table = FlipTable.of(cells(SAMPLE, old, new), offsets=old.offsets)
        nfr = evidence(table, FLIP_STATISTICS["nfr"])
        passed += nfr.p_above(nfr_of(shape)) <= ALPHA
        failed += nfr.p_at_most(nfr_of(shape)) <= ALPHA
        change = evidence(table, FLIP_STATISTICS["accuracy_change"])
        fell += change.p_above(0.0) <= ALPHA
        rose += change.p_at_most(0.0) <= ALPHA

    assert max(passed, failed, fell, rose) / DRAWS <= MOST


@pytest.mark.slow
@pytest.mark.parametrize(("n", "k", "shape"), [(60, 4, 0.5), (120, 10, 0.2)])
def test_the_change_of_the_success_rate_errs_as_stated(
    n: int, k: int, shape: float
) -> None:
    rng = np.random.default_rng(0)
    change = score_statistics(SUCCESS)["score_change"]
    fell = rose = 0
    for _ in range(DRAWS):
        shares = [
            one.values.reshape(n, k).mean(axis=1) for one in sides(rng, n, k, shape)
        ]
        halves = [CodedRows.plain(half) for half in score_sums(SUCCESS, *shares)]
        found = evidence(PairedRows(old=halves[0], new=halves[1]), change)
        fell += found.p_above(0.0) <= ALPHA
        rose += found.p_at_most(0.0) <= ALPHA

    assert max(fell, rose) / DRAWS <= MOST


@pytest.mark.slow
def test_treating_samples_as_independent_would_err() -> None:
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(DRAWS):
        rates = rng.beta(0.1, 0.1, (2, 60))  # two models that share nothing
        right = rng.random((2, 60, 10)) < rates[:, :, None]
        grades = [Grades.per_example(one.ravel()) for one in right]
        alone = FlipTable.of(cells(SAMPLE, *grades))
        change = evidence(alone, FLIP_STATISTICS["accuracy_change"])
        wrong += change.p_above(0.0) <= ALPHA

    assert wrong / DRAWS > 3 * ALPHA
