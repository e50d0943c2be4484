"""Two aligned sides as the tables of a run directory, and back again.

Besides the contract's columns, `missing` marks rows that a side lacks (with
`--on-missing bound`), `graded` levels that a file and not the task has graded,
and `again.*` of the old side is its second run (`--aa`).
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from compat_eval.comparison.own_grades import graded_levels
from compat_eval.comparison.panel import Panel
from compat_eval.core.predictions import (
    AGAIN_PREFIX,
    CORRECT_PREFIX,
    Predictions,
)
from compat_eval.core.table import positions


def graded(panel: Panel, role: str) -> Predictions:
    """Add whether each example is right, for levels whose units are examples."""
    side = panel.answers[role]
    for level, found in panel.grades(role).items():
        if found.n_units == len(side) and found.values.dtype == np.bool_:
            side = side.with_column(CORRECT_PREFIX + level, pa.array(found.right))
    return side


def ungraded(side: Predictions, *, keep: Sequence[str]) -> Predictions:
    """Leave out the grades that the task gave, to be given again."""
    given = [CORRECT_PREFIX + level for level in graded_levels(side)]
    drop = [name for name in given if name.removeprefix(CORRECT_PREFIX) not in keep]
    return side.without(drop)


def with_again(side: Predictions, again: Predictions) -> Predictions:
    """Put the second run beside the first."""
    at = pa.array(positions(side.ids, again.ids))
    for name in again.table.column_names:
        if name != "id":
            side = side.with_column(AGAIN_PREFIX + name, again.column(name).take(at))
    return side


def again_of(side: Predictions) -> Predictions | None:
    """Return the second run of a side; `None` where there was none."""
    names = [n for n in side.table.column_names if n.startswith(AGAIN_PREFIX)]
    if not names:
        return None
    columns = {name.removeprefix(AGAIN_PREFIX): side.column(name) for name in names}
    return Predictions(pa.table({"id": side.ids, **columns}))


def without_again(side: Predictions) -> Predictions:
    """Return a side without its second run."""
    names = [n for n in side.table.column_names if n.startswith(AGAIN_PREFIX)]
    return side.without(names)
