"""Cells of units that are right or wrong, for tests of what is counted."""

import numpy as np

from compat_eval.core.arrays import Bools, Ints, Rows
from compat_eval.core.grades import Grades, Level, cells

EXAMPLES = Level("example", "example", "examples")


def cell_codes(old_right: Bools, new_right: Bools) -> Ints:
    """Return the cell of each unit; shape (n_units,)."""
    sides = (
        Grades.per_example(np.asarray(side, np.bool_))
        for side in (old_right, new_right)
    )
    return cells(EXAMPLES, *sides)


def cell_rows(old_right: Bools, new_right: Bools) -> Rows:
    """Return the cells one-hot; shape (n_units, 4)."""
    return np.eye(4)[cell_codes(old_right, new_right)]
