"""Thresholds from impostors, and what reaches them."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compat_eval.core.errors import UsageError
from compat_eval.statistics.families.thresholds import (
    accepted,
    tar_at_far,
    threshold_at,
    tpir,
    tpir_at_fpir,
)

SCORES = st.lists(st.integers(-5, 5), min_size=1, max_size=25)
RATES = st.floats(0, 1)


@settings(deadline=None)
@given(SCORES, RATES)
@example([0], 1 - 1e-13)
def test_the_lowest_threshold_that_keeps_the_rate(
    scores: list[int], far: float
) -> None:
    """Of all thresholds between or beyond scores, tried one by one."""
    impostors = np.array(scores, float)
    tried = [-math.inf, *(np.unique(impostors) + 0.5)]
    lowest = min(t for t in tried if np.mean(impostors >= t) <= far)

    found = threshold_at(impostors, far)

    assert (impostors >= found).tolist() == (impostors >= lowest).tolist()


@settings(deadline=None)
@given(SCORES, SCORES, RATES, RATES)
def test_tar_never_falls_with_far(
    genuine: list[int], impostors: list[int], one: float, other: float
) -> None:
    both = np.array(genuine, float), np.array(impostors, float)
    low, high = sorted((one, other))

    assert tar_at_far(*both, low) <= tar_at_far(*both, high)


def test_rescaled_scores_keep_tar_at_far_and_lose_the_old_threshold() -> None:
    genuine, impostors = np.array([0.9, 0.6, 0.5]), np.array([0.7, 0.4, 0.2, 0.1])
    old = threshold_at(impostors, 0.25)

    assert tar_at_far(genuine / 2, impostors / 2, 0.25) == pytest.approx(1.0)
    assert tar_at_far(genuine, impostors, 0.25) == pytest.approx(1.0)
    assert accepted(genuine, old) == pytest.approx(1.0)
    assert accepted(genuine / 2, old) == pytest.approx(1 / 3)


def test_tied_impostors_are_kept_out_together() -> None:
    assert accepted(np.array([0.5, 0.5, 0.1]), threshold_at(np.full(2, 0.5), 0.5)) == 0


def test_identification_by_hand() -> None:
    """Unmated 0.7 must be kept out: only the first is right and above it."""
    best = np.array([0.9, 0.8, 0.6, 0.5])
    right = np.array([True, False, True, True])

    assert tpir_at_fpir(best, right, np.array([0.7, 0.4]), 0.0) == 0.25
    assert tpir_at_fpir(best, right, np.array([0.7, 0.4]), 0.5) == 0.75
    assert tpir(best, right, 0.55) == 0.5


def test_nothing_to_judge_is_undefined() -> None:
    none = np.zeros(0)

    assert math.isnan(threshold_at(none, 0.1))
    assert math.isnan(tar_at_far(np.ones(2), none, 0.1))
    assert math.isnan(tar_at_far(none, np.ones(2), 0.1))
    assert math.isnan(tpir(none, np.zeros(0, bool), 0.5))


def test_rates_are_fractions() -> None:
    with pytest.raises(UsageError, match=r"\[0, 1\]"):
        threshold_at(np.ones(3), 5)
