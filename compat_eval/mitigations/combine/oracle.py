"""Oracle re-rankers: what the best possible choice among the candidates would give.

They read gold, so they are bounds and no mitigation. One takes the candidate that
breaks fewest of the units that OLD had right, the other the one with most units
right; of equals the earliest.

Cai et al., "Measuring and Reducing Model Update Regression in Structured
Prediction for NLP", NeurIPS 2022, https://arxiv.org/abs/2202.02976 (Tables 6, 9).
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np

from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.errors import UsageError
from compat_eval.core.grades import Grades

Aim: TypeAlias = Literal["nfr", "accuracy"]


def oracle_choice(candidates: Sequence[Grades], old: Grades, aim: Aim) -> Ints:
    """Return which candidate an oracle picks for each example.

    Args:
        candidates: The first candidates of all examples graded, then the second
            ones, and so on; the same units everywhere, at a local level.
        old: OLD's answers to the same examples, graded.
        aim: `nfr` breaks least, `accuracy` has most right.

    Returns:
        Shape (n_examples,).

    Raises:
        UsageError: There are no candidates, or the aim is unknown.

    Examples:
        >>> one = Grades(np.array([True, False]), np.array([0, 2]))
        >>> two = Grades(np.array([False, True]), np.array([0, 2]))
        >>> oracle_choice([one, two], old=two, aim="nfr").tolist()
        [1]

    """
    if not candidates:
        raise UsageError("an oracle needs at least one candidate")
    if aim not in ("nfr", "accuracy"):
        raise UsageError(f"an oracle's aim is nfr or accuracy, got {aim!r}")
    wrong = [
        ~one.right & old.right if aim == "nfr" else ~one.right for one in candidates
    ]
    losses = np.stack([_summed(units, old.offsets) for units in wrong])
    return np.asarray(losses.argmin(axis=0), np.int64)


def _summed(units: Bools, offsets: Ints) -> Ints:
    """Return how many units of each example are true."""
    before = np.concatenate([[0], np.cumsum(units)])
    return np.asarray(np.diff(before[offsets]), np.int64)
