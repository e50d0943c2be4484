"""Coverage of calibration errors and of their changes, by drawing."""

import math

import numpy as np
import pytest
from numpy.random import Generator
from scipy import special

from compat_eval.core.arrays import Bools, Values
from compat_eval.core.rows import CodedRows
from compat_eval.core.statistic import AbsoluteSum
from compat_eval.statistics.families.calibration import (
    binned,
    calibration_error_value,
    gaps,
)
from tests.paired import Pair

DRAWS, ASKED = 400, 0.94
CHANCE = 2 * math.sqrt(ASKED * (1 - ASKED) / DRAWS)


def logits(rng: Generator, n: int) -> Values:
    """Return how sure a calibrated model is, from a half to nearly 1."""
    return np.asarray(special.logit(0.5 + 0.4999 * rng.beta(2, 1.2, n)))


def side(logit: Values, right: Bools, sharper: float) -> CodedRows:
    """Return the rows of a model that says more, or less, than it knows."""
    return CodedRows.plain(binned(special.expit(sharper * logit), right))


def truth(sharper: float) -> float:
    logit = logits(np.random.default_rng(99), 500_000)
    said, is_right = special.expit(sharper * logit), special.expit(logit)
    at = np.ceil(said * 10).astype(int) - 1
    sums = np.bincount(at, weights=said - is_right, minlength=10)
    return float(np.abs(sums).sum() / len(logit))


def pair(rng: Generator, n: int, old: float, new: float) -> Pair:
    logit = logits(rng, n)
    right = rng.random(n) < special.expit(logit)
    again = np.where(rng.random(n) < 0.8, right, rng.random(n) < special.expit(logit))
    return Pair(
        value=calibration_error_value,
        interval=AbsoluteSum(terms=gaps),
        old=side(logit, right, old),
        new=side(logit, again, new),
    )


@pytest.mark.slow
@pytest.mark.parametrize("n", [50, 200, 1000])
@pytest.mark.parametrize("sharper", [1.0, 1.3, 2.5])
def test_bounds_of_a_calibration_error_cover(n: int, sharper: float) -> None:
    rng, true = np.random.default_rng(0), truth(sharper)
    if sharper == 1:
        true = 0.0
    found = [pair(rng, n, 1, sharper).of_new() for _ in range(DRAWS)]

    assert np.mean([one.upper(0.05) >= true for one in found]) >= ASKED - CHANCE
    assert np.mean([one.lower(0.05) <= true for one in found]) >= ASKED - CHANCE


@pytest.mark.slow
def test_debiasing_takes_most_of_the_bias_away() -> None:
    rng, true = np.random.default_rng(0), truth(1.3)
    drawn = [pair(rng, 200, 1, 1.3) for _ in range(DRAWS)]
    shown = np.mean([one.of_new().value for one in drawn])
    plain = np.mean([calibration_error_value(one.rows.new.total()) for one in drawn])

    assert plain - true > 0.015
    assert abs(shown - true) < 0.005


@pytest.mark.slow
@pytest.mark.parametrize("n", [50, 200, 1000])
@pytest.mark.parametrize(("old", "new"), [(1, 1), (1, 2), (1.5, 1)])
def test_a_gate_on_the_loss_of_calibration_keeps_its_level(
    n: int, old: float, new: float
) -> None:
    """At the boundary: neither "kept" nor "broken" is claimed too often."""
    rng = np.random.default_rng(0)
    loss = (truth(new) if new != 1 else 0.0) - (truth(old) if old != 1 else 0.0)
    found = [pair(rng, n, old, new).change() for _ in range(DRAWS)]

    assert np.mean([one.p_above(loss) <= 0.05 for one in found]) <= 0.06 + CHANCE
    assert np.mean([one.p_at_most(loss) <= 0.05 for one in found]) <= 0.06 + CHANCE
