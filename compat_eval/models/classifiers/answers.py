"""From scores for every label to a table of answers."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from scipy.special import softmax

from compat_eval.core.arrays import Array, Bools, Ints, Values


def answer_table(logits: Array, labels: Sequence[str]) -> pa.Table:
    """Return the most probable label of each row of logits.

    Equal logits are settled by label name, so that the order of a model's
    label ids cannot show. A row with a number that is not finite has no
    answer but an error.

    Args:
        logits: Unnormalised scores, shape (n_items, n_labels).
        labels: Name of each column.

    Returns:
        Columns `prediction`, `score` (softmax probability of the answer),
        `margin` (score minus the runner-up's) and `error`.

    Examples:
        >>> table = answer_table(np.array([[0.0, np.log(3.0)]]), ["no", "yes"])
        >>> table["prediction"][0].as_py(), round(table["score"][0].as_py(), 6)
        ('yes', 0.75)

    """
    scores = np.array(logits, np.float64)
    scores[~np.isfinite(scores).all(axis=-1)] = np.nan
    return probability_table(softmax(scores, axis=-1), labels)


def probability_table(probabilities: Values, labels: Sequence[str]) -> pa.Table:
    """Return the most probable label of each row; see `answer_table`."""
    by_name = np.argsort(np.asarray(labels))
    sorted_by_name = probabilities[:, by_name]
    best = by_name[_first_largest(sorted_by_name)]
    return judged_table([labels[column] for column in best], probabilities, labels)


def judged_table(
    answers: Sequence[str], probabilities: Values, labels: Sequence[str]
) -> pa.Table:
    """Return given answers with the score and margin that the model gives them.

    The margin of an answer that is not the most probable one is 0.
    """
    wrong = np.asarray(~np.isfinite(probabilities).all(axis=-1), np.bool_)
    column_of = {label: column for column, label in enumerate(labels)}
    columns = np.array([column_of[answer] for answer in answers], dtype=np.int64)
    rows = np.arange(len(columns))
    score = probabilities[rows, columns]
    others = probabilities.copy()
    others[rows, columns] = 0.0
    margin = np.maximum(score - others.max(axis=-1, initial=0.0), 0.0)
    return pa.table(
        {
            "prediction": pa.array(answers, pa.string(), mask=wrong),
            "score": pa.array(score, pa.float64(), mask=wrong),
            "margin": pa.array(margin, pa.float64(), mask=wrong),
            "error": _not_finite(wrong),
        }
    )


def _first_largest(probabilities: Values) -> Ints:
    if not len(probabilities):
        return np.zeros(0, dtype=np.int64)
    return np.asarray(np.nan_to_num(probabilities, nan=-1.0).argmax(axis=-1), np.int64)


def _not_finite(wrong: Bools) -> pa.Array:
    text = "the model's scores are not finite (nan or infinity)"
    return pa.array([text] * len(wrong), pa.string(), mask=~wrong)
