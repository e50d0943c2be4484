"""Answers that nobody knows, at the worst for what a gate limits.

An answer that a side lacks (`--on-missing bound`) may have been right or wrong, and so
may one of OLD in whose place stands an error. Where the other side's answer is known,
two cells are possible, otherwise all four. Units of which the same is known form a
group; each group goes to the cell for which the value is worst. No mixture of cells
is worse for a ratio of sums of cells, since such a ratio is monotone in each of them.
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import TypeAlias

import numpy as np

from compat_eval.comparison.slices import slice_mask
from compat_eval.comparison.update import Update
from compat_eval.core.arrays import Bools, Ints, Rows, Values
from compat_eval.core.grades import (
    BETTER,
    BROKEN,
    CHANGED,
    FIXED,
    KEPT,
    MISSED,
    SAME,
    WORSE,
)
from compat_eval.statistics.flip_table import FlipTable

Group: TypeAlias = tuple[Bools, tuple[int, ...]]
"""Units of which the same is known, and the cells in which they may be."""


def unknown(update: Update, *, errors: bool) -> tuple[Bools, Bools]:
    """Return which answers of old and of new nobody knows; shape (n_examples,).

    Args:
        update: The comparison.
        errors: Whether OLD's errors are unknown answers; else they are wrong ones.

    """
    old = update.old_missing
    return (old | update.old.errors() if errors else old), update.new_missing


def worst_table(
    update: Update,
    level: str,
    part: str | None,
    *,
    value: Callable[[Rows], Values],
    highest: bool,
    errors: bool,
) -> FlipTable:
    """Return the counts with unknown answers such that a value is highest, or lowest.

    Args:
        update: The comparison.
        level: Name of the level.
        part: Name of the slice; `None` for all examples.
        value: Of summed counts, shape (..., 5) to (...).
        highest: Whether a high value is bad.
        errors: Whether OLD's errors are unknown answers.

    """
    cells = update.cells[level]
    example = np.repeat(np.arange(len(cells.offsets) - 1), np.diff(cells.offsets))
    weight = _weights(update, part)[example]
    old, new = (one[example] for one in unknown(update, errors=errors))
    changed = cells.changed
    if changed is not None:
        changed = np.where(old | new, highest, changed)
    known = np.bincount(
        cells.codes, np.where(old | new, 0.0, weight), minlength=5
    ).astype(np.float64)
    known[CHANGED] = np.nan if changed is None else weight[changed].sum()
    groups: list[Group] = list(_groups(cells.codes, old, new))
    if cells.level.scale == "score":
        groups = [(old | new, (WORSE, SAME, BETTER))]
    ways = list(product(*(options for _, options in groups)))
    totals = np.tile(known, (len(ways), 1))
    for at, way in enumerate(ways):
        for (units, _), cell in zip(groups, way, strict=True):
            totals[at, cell] += weight[units].sum()
    values = value(totals)
    worst = ways[_first_greatest(values if highest else -values)]
    codes = cells.codes.copy()
    for (units, _), cell in zip(groups, worst, strict=True):
        codes[units] = cell
    return update.counted(level, part, codes, changed)


def _groups(codes: Ints, old: Bools, new: Bools) -> Iterator[Group]:
    """Yield the units with unknown answers; the cell worst for NEW stands first."""
    old_right, new_right = np.isin(codes, (KEPT, BROKEN)), np.isin(codes, (KEPT, FIXED))
    for units, options in (
        (old & ~new & new_right, (KEPT, FIXED)),
        (old & ~new & ~new_right, (BROKEN, MISSED)),
        (new & ~old & old_right, (BROKEN, KEPT)),
        (new & ~old & ~old_right, (MISSED, FIXED)),
        (old & new, (BROKEN, KEPT, MISSED, FIXED)),
    ):
        if units.any():
            yield units, options


def _weights(update: Update, part: str | None) -> Values:
    """Return how much each example counts; 0 outside the slice."""
    weights, examples = update.weights, update.examples
    found = np.ones(len(examples)) if weights is None else weights
    return found if part is None else found * slice_mask(examples, part)


def _first_greatest(values: Values) -> int:
    """Return where a value is greatest; where it is undefined it is least."""
    return int(np.argmax(np.where(np.isnan(values), -np.inf, values)))
