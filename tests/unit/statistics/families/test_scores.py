"""Flips of continuous scores, and of answers wrong either way."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat_eval.statistics.families.scores import (
    graded_nfr,
    graded_pfr,
    mean_gain,
    mean_move,
    mean_regression,
    moves,
    nfr_mc,
)

SCORES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30)


def test_by_hand() -> None:
    totals = moves(np.array([0.2, 0.8, 0.5, 0.5]), np.array([0.6, 0.7, 0.5, 0.2])).sum(
        axis=0
    )

    assert float(graded_pfr(totals)) == 0.25
    assert float(graded_nfr(totals)) == 0.5
    assert float(mean_gain(totals)) == pytest.approx(0.4)
    assert float(mean_regression(totals)) == pytest.approx(0.2)
    assert float(mean_move(totals)) == pytest.approx(0.0)


def test_epsilon_overlooks_small_moves() -> None:
    totals = moves(np.array([0.5, 0.5]), np.array([0.45, 0.3]), epsilon=0.1).sum(axis=0)

    assert float(graded_nfr(totals)) == 0.5
    assert float(mean_regression(totals)) == pytest.approx(0.2)
    assert math.isnan(float(mean_gain(totals)))


@given(SCORES)
def test_the_mean_move_is_what_rose_less_what_fell(
    pairs: list[tuple[float, float]],
) -> None:
    old, new = np.array(pairs).T
    totals = moves(old, new).sum(axis=0)
    rose = float(np.nan_to_num(mean_gain(totals)) * graded_pfr(totals))
    fell = float(np.nan_to_num(mean_regression(totals)) * graded_nfr(totals))

    assert float(mean_move(totals)) == pytest.approx(rose - fell)
    assert float(mean_move(totals)) == pytest.approx(
        float((new - old).mean()), abs=1e-9
    )


@pytest.mark.parametrize("bad", [1.5, -0.1, math.nan])
def test_scores_outside_the_unit_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="must be numbers in"):
        moves(np.array([0.5]), np.array([bad]))


def test_scores_must_pair_up() -> None:
    with pytest.raises(ValueError, match="one score a unit"):
        moves(np.array([0.5]), np.array([0.5, 0.5]))


def test_nfr_mc_holds_what_is_wrong_in_a_new_way() -> None:
    codes = np.array([0, 1, 2, 3, 3])
    changed = np.array([False, True, True, True, False])

    assert nfr_mc(codes, changed) == pytest.approx(2 / 5)
    assert math.isnan(nfr_mc(codes[:0], changed[:0]))
