"""Flips of answers that are more or less right: scores in [0, 1], or wrong either way.

Sources:
    Echterhoff et al., "MUSCLE: A Model Update Strategy for Compatible LLM
    Evolution", Findings of EMNLP 2024, https://arxiv.org/abs/2407.09435
    (continuous scores; NFR of multiple choice).
"""

import numpy as np

from compat_eval.core.arrays import Bools, Ints, Rows, Values
from compat_eval.core.grades import BROKEN, MISSED
from compat_eval.statistics.families.flips import ratio

COMPARED, ROSE, GAIN, FELL, REGRESSION = range(5)


def moves(old: Values, new: Values, *, epsilon: float = 0.0) -> Rows:
    """Return how each score moved, shape (n_units, 5).

    Columns: 1, whether it rose by more than epsilon and by how much, whether it fell
    by more than epsilon and by how much.

    Examples:
        >>> moves(np.array([0.5, 0.5]), np.array([0.75, 0.25])).tolist()
        [[1.0, 1.0, 0.25, 0.0, 0.0], [1.0, 0.0, 0.0, 1.0, 0.25]]

    Raises:
        ValueError: Scores do not pair up, are no numbers in [0, 1], or epsilon is
            negative.

    """
    if old.shape != new.shape or epsilon < 0:
        raise ValueError("old and new need one score a unit each, and epsilon ≥ 0")
    scores = np.concatenate([old, new])
    if np.any(~((scores >= 0) & (scores <= 1))):
        raise ValueError("scores must be numbers in [0, 1]")
    moved = new - old
    rose, fell = moved > epsilon, moved < -epsilon
    ones = np.ones(len(old))
    gain, regression = np.maximum(moved, 0) * rose, np.maximum(-moved, 0) * fell
    return np.stack([ones, rose, gain, fell, regression], axis=1)


def graded_nfr(totals: Rows) -> Values:
    """Share of units whose score fell by more than epsilon."""
    return ratio(totals[..., FELL], totals[..., COMPARED])


def graded_pfr(totals: Rows) -> Values:
    """Share of units whose score rose by more than epsilon."""
    return ratio(totals[..., ROSE], totals[..., COMPARED])


def mean_gain(totals: Rows) -> Values:
    """Mean rise of the scores that rose."""
    return ratio(totals[..., GAIN], totals[..., ROSE])


def mean_regression(totals: Rows) -> Values:
    """Mean fall of the scores that fell."""
    return ratio(totals[..., REGRESSION], totals[..., FELL])


def mean_move(totals: Rows) -> Values:
    """Mean change of all scores (at epsilon 0): PFR · gain − NFR · regression."""
    return ratio(totals[..., GAIN] - totals[..., REGRESSION], totals[..., COMPARED])


def nfr_mc(cell_codes: Ints, changed: Bools) -> float:
    """Return the share of units that new has wrong with another answer than old's.

    It holds what broke, and what was wrong and is now wrong otherwise: a user sees
    both as a change for no good.

    Examples:
        >>> nfr_mc(np.array([0, 1, 3, 3]), np.array([False, True, True, False]))
        0.5

    """
    wrong = (cell_codes == BROKEN) | (cell_codes == MISSED)
    return float(np.mean(wrong & changed)) if len(wrong) else float("nan")
