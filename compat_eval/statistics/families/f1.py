"""F1 scores from counts of what is correct, predicted and gold.

Sources: Zeman et al., "CoNLL 2018 Shared Task: Multilingual Parsing from Raw
Text to Universal Dependencies", CoNLL 2018, https://aclanthology.org/K18-2001
(the official dependency scores).
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Ints, Rows, Values
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.rows import CodedRows, ones
from compat_eval.core.statistic import Statistic
from compat_eval.statistics.families.flips import ratio

CORRECT, PREDICTED, GOLD = range(3)
_MOST_COUNTED = 1_000_000


def f1(totals: Rows) -> Values:
    """Harmonic mean of precision and recall.

    Undefined (nan) where nothing was predicted and nothing is gold.

    Args:
        totals: Summed counts correct, predicted, gold; shape (..., 3) or more.

    Examples:
        >>> float(f1(np.array([3.0, 4.0, 6.0])))
        0.6

    """
    return ratio(2 * totals[..., CORRECT], totals[..., PREDICTED] + totals[..., GOLD])


def share(totals: Rows) -> Values:
    """Share of examples that are so; columns: are so, all."""
    return ratio(totals[..., 0], totals[..., 1])


def macro_f1(examples: Examples) -> Statistic:
    """Return macro F1 over the classes that occur as gold in these examples.

    A class that only a model knows is no class here: predicting it costs recall of
    the gold class. Both models are so held against the same classes.
    """
    gold = pc.unique(examples.column("gold"))
    classes = pa.array(sorted(label for label in gold.to_pylist() if label is not None))

    def rows(asked: Examples, answered: Predictions) -> CodedRows:
        return _confusions(
            _codes(asked.column("gold"), classes),
            _codes(answered.column("prediction"), classes),
            n_classes=len(classes),
        )

    return Statistic(
        name="macro_f1",
        title="Macro F1",
        better="higher",
        rows=rows,
        value=_macro_f1_value,
        description="mean over the gold classes of their F1",
        ends=(0.0, 1.0),
    )


def _macro_f1_value(totals: Rows) -> Values:
    """Return macro F1 of summed rows, shape (..., 3 * n_classes) to (...).

    Columns are right, predicted and gold of each class, in three blocks. A class
    without gold and without prediction is left out; nan where all are.

    Examples:
        >>> right, predicted, gold = [1.0, 1.0], [1.0, 2.0], [2.0, 1.0]
        >>> round(float(_macro_f1_value(np.array([*right, *predicted, *gold]))), 4)
        0.6667

    """
    right, predicted, gold = np.split(totals, 3, axis=-1)
    seen = predicted + gold
    f1 = np.divide(2 * right, seen, out=np.zeros_like(seen), where=seen > 0)
    n = np.count_nonzero(seen > 0, axis=-1)
    mean = np.full(np.shape(n), np.nan)
    return np.asarray(np.divide(f1.sum(axis=-1), n, out=mean, where=n > 0))


def _codes(labels: pa.ChunkedArray, classes: pa.Array) -> Ints:
    found = pc.index_in(labels, value_set=classes)
    return np.asarray(pc.fill_null(found, len(classes)), np.int64)


def _confusions(gold: Ints, predicted: Ints, *, n_classes: int) -> CodedRows:
    """Return one row for each pair of gold and predicted class that occurs."""
    width = n_classes + 1  # the last one is "no class of these"
    pairs, codes = _distinct(gold * width + predicted, width * width)
    was, said = pairs // width, pairs % width
    # Column of the class in its block of right, said and gold; -1 where it is none.
    places = np.stack(
        [
            np.where((was == said) & (was < n_classes), was, -1),
            np.where(said < n_classes, said + n_classes, -1),
            np.where(was < n_classes, was + 2 * n_classes, -1),
        ],
        axis=1,
    )
    return CodedRows(codes, ones(places, n_columns=3 * n_classes))


def _distinct(codes: Ints, size: int) -> tuple[Ints, Ints]:
    """Return which of `size` codes occur, in order, and the place of each of them."""
    if size > _MOST_COUNTED:
        occurs, place = np.unique(codes, return_inverse=True)
        return occurs, place.astype(np.int64)
    # Counting takes a tenth of the time of sorting a million examples.
    occurs = np.flatnonzero(np.bincount(codes, minlength=size))
    place = np.zeros(size, np.int64)
    place[occurs] = np.arange(len(occurs))
    return occurs, place[codes]
