"""Whole numbers grouped into ranges that people read."""

from collections.abc import Sequence

import numpy as np

from compat_eval.core.arrays import Ints


def range_names(starts: Sequence[int]) -> list[str]:
    """Return what each range is called; the last one has no end.

    Args:
        starts: Where each range begins, ascending.

    Examples:
        >>> range_names([1, 2, 5])
        ['1', '2–4', '5+']

    """
    ends = [start - 1 for start in starts[1:]]
    closed = zip(starts, ends, strict=False)
    names = [str(a) if a == b else f"{a}–{b}" for a, b in closed]
    return [*names, f"{starts[-1]}+"]


def ranges_of(numbers: Ints, starts: Sequence[int]) -> Ints:
    """Return in which range each number is, -1 before the first.

    Examples:
        >>> ranges_of(np.array([0, 1, 4, 9]), [1, 2, 5]).tolist()
        [-1, 0, 1, 2]

    """
    found = np.searchsorted(np.asarray(starts), numbers, side="right") - 1
    return np.asarray(found, np.int64)
