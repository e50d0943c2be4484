"""A role's answers as a table of the run directory, and back again.

Besides the contract's columns, `missing` marks rows that a role lacks (with
`--on-missing bound`).
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from compat_eval.comparison.panel import Panel
from compat_eval.core.predictions import (
    CORRECT_PREFIX,
    MISSING,
    Predictions,
)


def stored(panel: Panel, role: str) -> Predictions:
    """Add which rows are missing, and whether each example is right.

    The latter for levels whose units are examples.
    """
    side = panel.answers[role]
    if any(missing.any() for missing in panel.missing.values()):
        side = side.with_column(MISSING, pa.array(panel.missing[role]))
    for level, found in panel.grades(role).items():
        if found.n_units == len(side) and found.values.dtype == np.bool_:
            side = side.with_column(CORRECT_PREFIX + level, pa.array(found.right))
    return side


def ungraded(side: Predictions, *, keep: Sequence[str]) -> Predictions:
    """Leave out the grades that the task gave, to be given again."""
    given = [CORRECT_PREFIX + level for level in side.graded_levels()]
    drop = [name for name in given if name.removeprefix(CORRECT_PREFIX) not in keep]
    return side.without(drop)
