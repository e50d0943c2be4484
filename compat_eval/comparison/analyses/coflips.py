"""Whether units that stand near each other break together.

Source: the pair analysis that Cai et al., "Measuring and Reducing Model Update
Regression in Structured Prediction for NLP", NeurIPS 2022,
https://arxiv.org/abs/2202.02976, released with their code.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from compat_eval.comparison.analyses.breakdowns import graded_by_task
from compat_eval.comparison.update import LevelCells, Update
from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.grades import BROKEN
from compat_eval.core.places import Places
from compat_eval.core.protocols import PlacesUnits
from compat_eval.core.ranges import range_names, ranges_of

_WORDS = (0, 1, 2, 3, 4, 5, 6, 11)
_EDGES = (1, 2, 3, 4, 5, 6, 7)
_MOST_UNITS = 1000  # of an example; the number of pairs grows with the square


def coflips(update: Update) -> list[dict[str, Any]] | None:
    """Return how often both of two units broke, of the pairs of which one did.

    Pairs are of units of one example, each pair once; examples of more than 1,000
    units are left out. Distances are in words (0 for spans that overlap, 1 for
    neighbours) and in edges of the gold tree.

    Returns:
        One entry a level whose units have places, JSON-ready: `by_words`
        and `by_edges`, each a list of `distance`, `pairs` (of which at least one
        unit broke), `both` and `share`; `independent` is the share that units
        would have that break independently. `None` where the task knows of no
        places.

    """
    task = update.task
    if not isinstance(task, PlacesUnits):
        return None
    found = []
    for level in graded_by_task(update):
        places = task.places(update.examples, level)
        if places is not None:
            found.append(_of_level(update.cells[level], places))
    return found


def _of_level(cells: LevelCells, places: Places) -> dict[str, Any]:
    broken = cells.codes == BROKEN
    sizes = np.diff(cells.offsets)
    paired = np.repeat(sizes <= _MOST_UNITS, sizes)
    one, other = pairs_with(broken & paired, cells.offsets)
    both = broken[one] & broken[other]
    rate = float(broken.mean()) if len(broken) else 0.0
    return {
        "level": cells.level.name,
        "pairs": len(one),
        "both": int(np.count_nonzero(both)),
        "independent": rate / (2 - rate),
        "by_words": _shares(places.words_apart(one, other), both, _WORDS),
        "by_edges": _shares(
            places.edges_apart(one, other, most=_EDGES[-1]), both, _EDGES
        ),
    }


def pairs_with(chosen: Bools, offsets: Ints) -> tuple[Ints, Ints]:
    """Return each pair of units of one example of which at least one is chosen.

    The first of a pair is always chosen; no pair stands there twice.

    Args:
        chosen: Shape (n_units,).
        offsets: The units of example `i` are `offsets[i]` to `offsets[i + 1]`.

    """
    first = np.flatnonzero(chosen)
    example = np.searchsorted(offsets, first, side="right") - 1
    sizes = np.diff(offsets)[example]
    before = np.cumsum(sizes) - sizes
    one = np.repeat(first, sizes)
    other = np.arange(len(one)) - np.repeat(before - offsets[example], sizes)
    once = (one < other) | ((one > other) & ~chosen[other])
    return one[once], other[once]


def _shares(
    distances: Ints, both: Bools, starts: Sequence[int]
) -> list[dict[str, Any]]:
    """Count pairs by ranges of distance; those below the first are left out."""
    at = ranges_of(distances, starts)
    pairs = np.bincount(at[at >= 0], minlength=len(starts))
    hits = np.bincount(at[both & (at >= 0)], minlength=len(starts))
    return [
        {
            "distance": name,
            "pairs": int(n),
            "both": int(hit),
            "share": float(hit / n),
        }
        for name, n, hit in zip(range_names(starts), pairs, hits, strict=True)
        if n
    ]
