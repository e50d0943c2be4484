"""The answers: what one model said, by example id."""

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from compat_eval.core.arrays import Bools
from compat_eval.core.table import Keyed, bools

CORRECT_PREFIX = "correct."
MISSING = "missing"
AGAIN_PREFIX = "again."


@dataclass(frozen=True, slots=True)
class Predictions(Keyed):
    """Predictions of one model, one example a row.

    Columns: `id` (string) and `prediction` (string for labels, or what the
    task kind reads; null where the model gave no answer, which is wrong);
    optionally `score` (float64 in [0, 1]: the model's probability for its
    answer), `margin` (float64 ≥ 0: score minus the runner-up's), `nll`
    (float64, nats), `n_tokens` (int64), `correct.<level>` (bool: graded by
    whoever made the file, and then believed) and `error` (string: why there
    is no answer; null where there is one).
    """

    def missing(self) -> Bools:
        """Return which rows stand for an example that this side lacks."""
        if MISSING not in self:
            return np.zeros(len(self), np.bool_)
        return bools(self.column(MISSING))

    def errors(self) -> Bools:
        """Return which examples made the model raise; shape (n_examples,)."""
        if "error" not in self:
            return np.zeros(len(self), np.bool_)
        return bools(pc.is_valid(self.column("error")))
