"""Slices: named parts of the examples."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Bools
from compat_eval.core.errors import SuiteError, some
from compat_eval.core.examples import SLICE_PREFIX, Examples
from compat_eval.core.table import bools
from compat_eval.core.text import natural


def slices(examples: Examples) -> Iterator[tuple[str, Bools]]:
    """Yield each slice as `name=value` with the mask of its examples.

    In order of the columns and, within one, of the values: numbers in them by their
    size, so that 6-10 stands before 11-20. An example without a value is in none of
    that column's slices.

    Examples:
        >>> table = pa.table({"id": ["a", "b"], "slice.oos": ["no", "yes"]})
        >>> [(name, mask.tolist()) for name, mask in slices(Examples(table))]
        [('oos=no', [True, False]), ('oos=yes', [False, True])]

    """
    for name in examples.slice_names:
        coded = _coded(examples.column(SLICE_PREFIX + name))
        codes = np.asarray(pc.fill_null(coded.indices, -1), np.int64)
        values = coded.dictionary.to_pylist()
        for code in sorted(range(len(values)), key=lambda at: natural(values[at])):
            yield f"{name}={values[code]}", codes == code


def slice_mask(examples: Examples, wanted: str) -> Bools:
    """Return which examples are in a slice.

    Raises:
        SuiteError: There is no such slice; the message lists those there are.

    """
    mask = in_slice(examples, wanted)
    if mask.any():
        return mask
    known = [found for found, _ in slices(examples)]
    raise SuiteError(
        f"no example is in slice {wanted!r}; there is "
        + (some(known, limit=20) if known else "no slice at all")
    )


def in_slice(examples: Examples, wanted: str) -> Bools:
    """Return which examples are in a slice; none where there is no such slice."""
    name, _, value = wanted.partition("=")
    column = SLICE_PREFIX + name
    if column not in examples:
        return np.zeros(len(examples), np.bool_)
    return bools(pc.equal(examples.column(column), value))


def _coded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    return column.combine_chunks().dictionary_encode()
