"""Which vectors of an index are embedded anew first, and an index that is half done.

Orders are permutations of the index's rows, the first to be embedded anew first; rows
that are alike keep their order.

Sources:
    Jaeckle et al., "FastFill: Efficient Compatible Model Update", ICLR 2023,
    https://arxiv.org/abs/2303.04766 (the most uncertain first). Ricci et al.,
    "λ-Orthogonality Regularization for Compatible Representation Learning", NeurIPS
    2025, https://arxiv.org/abs/2509.16664 (the farthest from its class first).
"""

import numpy as np

from compat_eval.core.arrays import Array, Bools, Ints, Rows, Values
from compat_eval.core.errors import UsageError
from compat_eval.mitigations.embeddings.adapter import SpaceAdapter
from compat_eval.mitigations.embeddings.pairs import VectorPairs
from compat_eval.mitigations.embeddings.ridge import fit_ridge
from compat_eval.statistics.families.thresholds import most_within
from compat_eval.vectors.space import refuse_other_space
from compat_eval.vectors.vectors import Vectors


def random_order(n: int, *, seed: int = 0) -> Ints:
    """Return an order by chance, which any other must beat."""
    return np.random.default_rng(seed).permutation(n).astype(np.int64)


def uncertain_first(uncertainty: Values) -> Ints:
    """Return the order of falling uncertainty of the map from OLD to NEW."""
    return _falling(uncertainty)


def predicted_errors(
    fitted: SpaceAdapter, pairs: VectorPairs, rows: Rows, *, penalty: float = 1.0
) -> Values:
    """Return how far off a map from OLD to NEW is expected to be for each vector.

    The logarithm of the squared error is a ridge regression on OLD's vector, which is
    the uncertainty that FastFill learns with its map, as a Gaussian's variance (Harvey,
    "Estimating Regression Models with Multiplicative Heteroscedasticity", Econometrica
    44, 1976). NEW's vectors of the index are not needed.

    Args:
        fitted: The map from OLD to NEW.
        pairs: Vectors of both models, better other ones than it was fitted on.
        rows: OLD's vectors of an index, shape (n, d_source).
        penalty: Of the regression.

    Returns:
        Expected squared errors up to a constant factor, shape (n,).

    """
    off = np.square(fitted.map(pairs.source) - pairs.target).sum(axis=1)
    tiny = np.finfo(np.float64).tiny
    line = fit_ridge(pairs.source, np.log(off + tiny)[:, None], penalty=penalty)
    return np.exp(line(np.asarray(rows, np.float64))[:, 0])


def popular_first(times_found: Values) -> Ints:
    """Return the order of how often items are found, from logs of queries."""
    return _falling(times_found)


def far_from_class_first(rows: Rows, labels: Array) -> Ints:
    """Return the order of falling distance from the mean of one's class.

    Args:
        rows: OLD's vectors as they are served, mapped where they are, shape (n, d).
        labels: Class of each, shape (n,).

    Examples:
        >>> rows = np.array([[0.0], [1.0], [5.0], [7.0]])
        >>> far_from_class_first(rows, np.array(["a", "a", "a", "b"])).tolist()
        [2, 0, 1, 3]

    """
    codes = np.unique(labels, return_inverse=True)[1]
    sums = np.zeros((int(codes.max(initial=-1)) + 1, rows.shape[1]))
    np.add.at(sums, codes, rows)
    means = sums / np.bincount(codes)[:, None]
    return _falling(np.linalg.norm(rows - means[codes], axis=1))


def mixed_index(
    old: Vectors, new: Vectors, order: Ints, share: float, *, across: bool = False
) -> Vectors:
    """Return an index whose first floor(share · n) vectors of an order are NEW's.

    Args:
        old: What is served now: OLD's vectors, mapped into NEW's space where they are.
        new: NEW's vectors of the same items, in the same rows.
        order: Which are embedded anew first.
        share: From 0 to 1.
        across: Whether OLD's vectors may be of another model than NEW's, as where NEW
            was trained to be compatible.

    Raises:
        UsageError: Items or order differ, or the share is none.
        DataError: The spaces differ.

    """
    if not old.ids.equals(new.ids):
        raise UsageError("the two generations of an index hold different items")
    refuse_other_space(old.space, new.space, across=across)
    anew = first_of(order, share, len(old))
    values = np.array(old.values, np.result_type(old.values, new.values))
    values[anew] = new.values[anew]
    return Vectors(ids=old.ids, values=values, space=new.space)


def first_of(order: Ints, share: float, n: int) -> Bools:
    """Return which of n rows are NEW's once a share of them is embedded anew.

    Raises:
        UsageError: The order does not name each row once, or the share is none.

    """
    if not 0 <= share <= 1:
        raise UsageError(f"the share must be in [0, 1]; got {share}")
    if not np.array_equal(np.sort(order), np.arange(n)):
        raise UsageError("an order names each row of the index once")
    anew = np.zeros(n, bool)
    anew[order[: most_within(share, n)]] = True
    return anew


def _falling(values: Values) -> Ints:
    if not np.isfinite(values).all():
        raise UsageError("an order needs a finite number of each item")
    return np.argsort(-values, kind="stable").astype(np.int64)
