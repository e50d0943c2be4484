"""Statistic `brevity`: how many characters an answer has on average."""

import numpy as np
import pyarrow.compute as pc

from compat_eval.core.arrays import Rows, Values
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.rows import CodedRows
from compat_eval.core.statistic import Statistic


def rows(_: Examples, predictions: Predictions) -> CodedRows:
    """Return characters and 1 of each answer, nothing where there is none."""
    said = predictions.column("prediction")
    length = pc.fill_null(pc.utf8_length(said), 0).to_numpy()
    return CodedRows.plain(np.stack([length, said.is_valid().to_numpy()], axis=-1))


def characters(totals: Rows) -> Values:
    """Return characters per answer; nan without answers."""
    said, answers = totals[..., 0], totals[..., 1]
    found = np.full(np.shape(said), np.nan)
    np.divide(said, answers, out=found, where=answers > 0)
    return found


BREVITY = Statistic(
    name="brevity",
    title="Characters of an answer",
    rows=rows,
    value=characters,
    better="lower",
    needs=("prediction",),
    description="how many characters an answer has on average",
)
