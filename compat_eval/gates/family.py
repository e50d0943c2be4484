"""The claims of a run, and how they share the allowed error.

Two families are kept apart, because they are two promises. "The chance that any
`pass` of a certifying gate is wrong is at most alpha": the family of the claims that
limits are kept. "The chance that any `fail` is wrong is at most alpha": the family of
the claims that limits are broken, one for each gate with statistics. Holm's method
runs in each.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

Correction = Literal["holm", "none"]


def levels(
    p_values: Sequence[float], *, alpha: float, correction: Correction
) -> list[float]:
    """Return the level at which each claim of a family is judged.

    A claim is proven exactly where its p-value is at most its level. Holm judges the
    smallest of m at alpha / m, the next at alpha / (m − 1), and from the first claim
    that is not proven on, all at the level at which it stopped.

    Examples:
        >>> levels([0.04, 0.01, 0.03], alpha=0.06, correction="holm")
        [0.06, 0.02, 0.03]
        >>> levels([0.01, 0.04, 0.04], alpha=0.06, correction="holm")
        [0.02, 0.03, 0.03]

    """
    if correction == "none":
        return [alpha] * len(p_values)
    found = [alpha] * len(p_values)
    level, stopped = 0.0, False
    for rank, at in enumerate(np.argsort(p_values, kind="stable")):
        if not stopped:
            level = alpha / (len(p_values) - rank)
            stopped = p_values[at] > level
        found[at] = level
    return found
