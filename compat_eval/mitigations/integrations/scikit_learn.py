"""Estimators that take `sample_weight`, trained towards OLD: weights and soft labels.

    weights = old_right_weights(y, old.predict(X), share=1)
    new.fit(X, y, sample_weight=weights)

is the naive re-weighting of Yan et al., "Positive-Congruent Training", CVPR 2021,
https://arxiv.org/abs/2011.09161, and

    rows, labels, weights = soft_label_rows(y, old.predict_proba(X), old.classes_)
    new.fit(X[rows], labels, sample_weight=weights)

its focal distillation FD-KL at temperature 1: the nats of soft labels are those of each
label, weighted by its probability, so that any estimator that minimises nats learns
them. Nothing of scikit-learn is imported: any estimator with `sample_weight` will do.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from compat_eval.core.arrays import Ints, Values
from compat_eval.core.errors import DataError


def old_right_weights(
    gold: npt.ArrayLike, old: npt.ArrayLike, *, share: float = 1.0
) -> Values:
    """Return weights that count more what OLD gets right.

    Args:
        gold: Right labels, shape (n_examples,).
        old: OLD's answers; predictions for examples that OLD was not trained on say
            more.
        share: How much more.

    Returns:
        1 + share where OLD is right and 1 elsewhere, shape (n_examples,).

    Raises:
        DataError: There is not one answer an example.

    Examples:
        >>> old_right_weights(["a", "b"], ["a", "a"], share=2.0).tolist()
        [3.0, 1.0]

    """
    right, answered = np.asarray(gold), np.asarray(old)
    if right.shape != answered.shape:
        raise DataError(
            f"gold has the shape {right.shape}, OLD's answers {answered.shape}"
        )
    return np.asarray(1.0 + share * (right == answered), np.float64)


def soft_label_rows(
    gold: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    classes: Sequence[Any] | npt.NDArray[Any],
    *,
    alpha: float = 1.0,
    beta: float = 5.0,
    share: float = 1.0,
    least: float = 1e-3,
) -> tuple[Ints, npt.NDArray[Any], Values]:
    """Return examples repeated with one label each, and weights.

    The weighted nats of the result are those of the right labels, plus λ·(α + β·[OLD
    is right]) times those of OLD's probabilities. Labels that no example has are left
    out of these, and an example whose right label OLD does not know is not taught.

    Args:
        gold: Right labels, shape (n_examples,).
        probabilities: OLD's, shape (n_examples, n_classes).
        classes: Names of its columns, such as `old.classes_`.
        alpha: Weight of OLD on every example.
        beta: Further weight where OLD is right.
        share: λ, weight of OLD beside gold.
        least: Smaller probabilities are left out, and the others made to sum to 1.

    Returns:
        Numbers of the examples, to be taken from the inputs; a label and a weight for
        each. Shape (n_rows,) each.

    Raises:
        DataError: The shapes do not fit, or OLD knows none of the labels.

    Examples:
        >>> rows, labels, weights = soft_label_rows(
        ...     ["a", "b"], [[0.75, 0.25], [0.5, 0.5]], ["a", "b"], alpha=1, beta=1
        ... )
        >>> rows.tolist(), labels.tolist()
        ([0, 1, 0, 0, 1, 1], ['a', 'b', 'a', 'b', 'a', 'b'])
        >>> weights.tolist()
        [1.0, 1.0, 1.5, 0.5, 0.5, 0.5]

    """
    right, known = np.asarray(gold), np.asarray(classes)
    soft = np.array(probabilities, np.float64)
    if soft.shape != (len(right), len(known)):
        raise DataError(
            f"{len(right)} examples and {len(known)} classes need probabilities of "
            f"the shape ({len(right)}, {len(known)}); got {soft.shape}"
        )
    taught = np.isin(right, known)
    if not taught.any():
        raise DataError("OLD knows none of the labels; it has nothing to teach")
    old_right = known[soft.argmax(axis=1)] == right
    soft[:, ~np.isin(known, right)] = 0
    soft[soft < least] = 0
    total = soft.sum(axis=1)
    taught &= total > 0
    soft[taught] /= total[taught, np.newaxis]
    focus = np.where(taught, share * (alpha + beta * old_right), 0.0)
    weights = focus[:, np.newaxis] * soft
    rows, columns = np.nonzero(weights)
    return (
        np.concatenate([np.arange(len(right)), rows]),
        np.concatenate([right, known[columns]]),
        np.concatenate([np.ones(len(right)), weights[rows, columns]]),
    )
