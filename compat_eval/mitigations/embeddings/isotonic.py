"""Isotonic calibration of scores: a threshold of OLD's keeps its meaning.

Barlow et al., "Statistical Inference under Order Restrictions", Wiley 1972 (pool
adjacent violators). Ranks stay as they are, but for ties; it is the scale of the scores
that moves back.
"""

from dataclasses import dataclass

import numpy as np

from compat_eval.core.arrays import Values
from compat_eval.core.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class IsotonicScores:
    """A rising function of scores, linear between its knots and level beyond them.

    Attributes:
        scores: Where the knots are, rising, shape (n_knots,).
        values: What it is there, never falling.

    """

    scores: Values
    values: Values

    def __call__(self, scores: Values) -> Values:
        """Return calibrated scores, of the same shape."""
        return np.asarray(np.interp(scores, self.scores, self.values))


def fit_isotonic(scores: Values, target: Values) -> IsotonicScores:
    """Return the rising function of scores with the least squared error.

    Args:
        scores: After the update, shape (n,).
        target: Of the same pairs before it.

    Raises:
        UsageError: There is no pair, or numbers of pairs differ.

    Examples:
        >>> fitted = fit_isotonic(np.array([1.0, 2, 3, 4]), np.array([1.0, 3, 2, 4]))
        >>> fitted.values.tolist()
        [1.0, 2.5, 2.5, 4.0]

    """
    if not len(scores) == len(target) > 0:
        raise UsageError(f"{len(scores)} scores were paired with {len(target)}")
    knots, places = np.unique(scores, return_inverse=True)
    counts = np.bincount(places).astype(np.float64)
    means = np.bincount(places, weights=target) / counts
    return IsotonicScores(scores=knots, values=_pooled(means, counts))


def _pooled(means: Values, weights: Values) -> Values:
    """Return the never falling sequence that is nearest, by pooling neighbours."""
    pools: list[tuple[float, float, int]] = []
    for mean, weight in zip(means.tolist(), weights.tolist(), strict=True):
        last = (mean, weight, 1)
        while pools and pools[-1][0] >= last[0]:
            before = pools.pop()
            whole = before[1] + last[1]
            joint = (before[0] * before[1] + last[0] * last[1]) / whole
            last = (joint, whole, before[2] + last[2])
        pools.append(last)
    values, _, sizes = zip(*pools, strict=True)
    return np.repeat(np.asarray(values), sizes)
