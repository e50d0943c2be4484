"""F1 scores of parses, from counts of units that are correct, predicted and gold.

Sources: Zeman et al., "CoNLL 2018 Shared Task: Multilingual Parsing from Raw
Text to Universal Dependencies", CoNLL 2018, https://aclanthology.org/K18-2001
(the official dependency scores).
"""

from compat_eval.core.arrays import Rows, Values
from compat_eval.statistics.families.flips import ratio

CORRECT, PREDICTED, GOLD = range(3)


def f1(totals: Rows) -> Values:
    """Harmonic mean of precision and recall.

    Undefined (nan) where nothing was predicted and nothing is gold.

    Args:
        totals: Summed counts correct, predicted, gold; shape (..., 3) or more.

    Examples:
        >>> import numpy as np
        >>> float(f1(np.array([3.0, 4.0, 6.0])))
        0.6

    """
    return ratio(2 * totals[..., CORRECT], totals[..., PREDICTED] + totals[..., GOLD])


def precision(totals: Rows) -> Values:
    """Share of what was predicted that is correct."""
    return ratio(totals[..., CORRECT], totals[..., PREDICTED])


def recall(totals: Rows) -> Values:
    """Share of gold that was predicted."""
    return ratio(totals[..., CORRECT], totals[..., GOLD])


def share(totals: Rows) -> Values:
    """Share of examples that are so; columns: are so, all."""
    return ratio(totals[..., 0], totals[..., 1])
