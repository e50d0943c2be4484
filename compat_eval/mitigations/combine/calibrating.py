"""Numbers fitted on labelled examples: temperatures, and offsets of new labels.

Temperature scaling: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017,
https://arxiv.org/abs/1706.04599.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import log_softmax

from compat_eval.core.arrays import Bools, Ints, Values

_DIGITS = 4
"""Digits that are kept: logits of another batch differ only beyond them."""

_STEPS = 60
_GOLDEN = (math.sqrt(5) - 1) / 2


def fitted_temperature(logits: Values, gold: Ints) -> float:
    """Return the temperature at which gold is most probable.

    Args:
        logits: Shape (n_examples, n_labels).
        gold: Number of each right label, shape (n_examples,); those below 0, and
            examples without logits, do not count.

    Examples:
        >>> logits = np.log([[0.9, 0.1]] * 5)  # says .9, and is right in 4 of 5
        >>> fitted_temperature(logits, np.array([0, 0, 0, 0, 1]))
        1.585

    """
    usable = (gold >= 0) & np.isfinite(logits).all(axis=1)
    if not usable.any():
        return 1.0
    rows, right = logits[usable], gold[usable]

    def nats(log_temperature: float) -> float:
        told = log_softmax(rows / math.exp(log_temperature), axis=-1)
        return -float(told[np.arange(len(right)), right].mean())

    low, high = math.log(0.05), math.log(20.0)
    for _ in range(_STEPS):
        step = _GOLDEN * (high - low)
        left, right_ = high - step, low + step
        low, high = (low, right_) if nats(left) <= nats(right_) else (left, high)
    return rounded(math.exp((low + high) / 2))


def fitted_offset(scores: Values, gold: Ints, only_new: Bools) -> float:
    """Return what is added to the scores of labels that only NEW has.

    It is the one with which most examples are right; of several the one nearest to 0.

    Args:
        scores: Shape (n_examples, n_labels).
        gold: Number of each right label, shape (n_examples,).
        only_new: Which labels, shape (n_labels,).

    Examples:
        >>> scores = np.array([[1.0, 2.0], [1.0, 3.5]])  # the first label is right once
        >>> fitted_offset(scores, np.array([0, 1]), np.array([False, True]))
        -1.75

    """
    if not only_new.any() or only_new.all():
        return 0.0
    lead = scores[:, ~only_new].max(axis=1) - scores[:, only_new].max(axis=1)
    known = _right_among(scores, gold, ~only_new)
    new = _right_among(scores, gold, only_new)
    # Above its lead an offset makes an example's answer one of the new labels.
    at = np.isfinite(lead) & (known | new)
    order = np.argsort(lead[at], kind="stable")
    steps, gained = lead[at][order], (new[at].astype(int) - known[at])[order]
    edges = np.concatenate([[-np.inf], steps, [np.inf]])
    right = np.concatenate([[0], np.cumsum(gained)])
    wide = edges[:-1] < edges[1:]
    best = np.flatnonzero(wide & (right == right[wide].max()))
    return rounded(min((_inside(edges[i], edges[i + 1]) for i in best), key=abs))


def rounded(number: float) -> float:
    """Return a number with the digits that are kept."""
    return float(f"{number:.{_DIGITS}g}")


def _right_among(scores: Values, gold: Ints, labels: Bools) -> Bools:
    """Whether the best of some labels is right."""
    places = np.flatnonzero(labels)
    best = places[np.nan_to_num(scores[:, labels], nan=-np.inf).argmax(axis=1)]
    return np.asarray(best == gold, np.bool_)


def _inside(low: float, high: float) -> float:
    """Return a number between two that is near 0, and not at an edge."""
    if low < 0 < high:
        return 0.0
    if math.isinf(low):
        return high - 1.0
    if math.isinf(high):
        return low + 1.0
    return (low + high) / 2


def labels_only_of(labels: Sequence[str], others: Sequence[str]) -> Bools:
    """Return which labels the others lack."""
    known = set(others)
    return np.array([label not in known for label in labels], np.bool_)
