"""Facets of units: names and numbers as columns that breakdowns group by."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Ints
from compat_eval.core.ranges import range_names, ranges_of


def named(values: pa.Array | Sequence[str | None]) -> pa.DictionaryArray:
    """Return names, in no order."""
    return pa.array(values, pa.string()).dictionary_encode()


def binned(
    numbers: Ints, starts: Sequence[int], *, zero: str | None = None
) -> pa.DictionaryArray:
    """Return numbers as ranges, in their order.

    Args:
        numbers: From 0, shape (n,).
        starts: Where each range begins, ascending; smaller numbers are in the
            first. The last range has no end.
        zero: What 0 is called, where it is a range of its own.

    Examples:
        >>> binned(np.array([0, 3, 9]), [1, 2, 5], zero="root").to_pylist()
        ['root', '2–4', '5+']

    """
    names, at = range_names(starts), np.maximum(ranges_of(numbers, starts), 0)
    if zero is not None:
        names, at = [zero, *names], np.where(numbers == 0, 0, at + 1)
    return pa.DictionaryArray.from_arrays(
        pa.array(at, pa.int32()), pa.array(names, pa.string()), ordered=True
    )
