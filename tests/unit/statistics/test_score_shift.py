"""The distance of Kolmogorov and Smirnov agrees with scipy's."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from compat_eval.statistics.score_shift import ks_distance

SCORES = st.lists(st.integers(-4, 4), min_size=3, max_size=20)


@settings(max_examples=20, deadline=None)
@given(SCORES, SCORES)
def test_as_scipy(old: list[int], new: list[int]) -> None:
    theirs = stats.ks_2samp(old, new, method="asymp").statistic

    assert ks_distance(np.array(old), np.array(new)) == pytest.approx(theirs)


def test_apart_is_1_and_the_same_is_0() -> None:
    scores = np.array([0.1, 0.2])

    assert ks_distance(scores, scores + 1) == 1.0
    assert ks_distance(scores, scores) == 0.0


def test_no_scores_have_no_shift() -> None:
    assert math.isnan(ks_distance(np.zeros(0), np.ones(2)))
