"""Which training examples caused an answer, exactly.

What a training example adds to the lead of the right label over the answered one is
that lead under the head, less the lead under the head that was never shown the example.
For a quadratic loss both come from one solution (`RidgeHead.influence`); for other
models influence functions approximate it (Koh and Liang, "Understanding Black-box
Predictions via Influence Functions", ICML 2017, https://arxiv.org/abs/1703.04730).
"""

from dataclasses import dataclass

import numpy as np

from compat_eval.core.arrays import Ints, Values
from compat_eval.models.linearised.ridge import RidgeHead


@dataclass(frozen=True, slots=True, kw_only=True)
class _TracedAnswer:
    """A wrong answer, and the training examples that spoke most for it.

    Attributes:
        lead: Output of the right label less that of the answered one; negative.
        rows: Of training examples, those that lower the lead most first.
        added: What each adds to the lead, below 0 where it spoke for the answer.

    """

    lead: float
    rows: Ints
    added: Values

    @property
    def without(self) -> Values:
        """The lead without each of them; above 0 where that one alone caused it."""
        return np.asarray(self.lead - self.added)


def traced(
    ridge: RidgeHead,
    head: Values,
    row: Values,
    *,
    right: int,
    answered: int,
    most: int,
) -> _TracedAnswer:
    """Return which training examples spoke most for a wrong answer.

    Args:
        ridge: The loss, with all training examples.
        head: Its minimum, shape (n_features + 1, n_labels).
        row: Features of the example with a 1 behind them, shape (n_features + 1,).
        right: Number of the right label.
        answered: Of the answered one.
        most: How many training examples are returned at most.

    """
    added = ridge.influence(row, right, head) - ridge.influence(row, answered, head)
    rows = np.argsort(added, kind="stable")[:most]
    lead = float(row @ (head[:, right] - head[:, answered]))
    return _TracedAnswer(lead=lead, rows=rows, added=added[rows])
