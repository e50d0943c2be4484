"""Ids of examples without one: a hash of their content.

An id is a hash of input and gold. It does not depend on the order of the file or
on other examples, so a shuffled or extended file keeps its names; exact repeats,
which nothing can tell apart, are numbered.
"""

import hashlib
from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import DataError, some
from compat_eval.core.table import repeats as repeated_ids

_N_DIGITS = 16
"""Hexadecimal digits of an id: 64 bits, so that a clash among a million examples
has a chance of 3 in 100 million; a clash would be numbered like a repeat."""

_BETWEEN = "\x1f"
_NONE = "\x00"


def content_ids(inputs: pa.ChunkedArray, golds: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a hash of each example's input and gold; equal content, equal id.

    Examples:
        >>> texts = pa.chunked_array([["hi", "bye", "hi"]])
        >>> labels = pa.chunked_array([["greet", "leave", "greet"]])
        >>> ids = content_ids(texts, labels)
        >>> ids[0] == ids[2], ids[0] == ids[1]
        (True, False)

    """
    parts = (pc.fill_null(inputs, _NONE), pc.fill_null(golds, _NONE))
    joined = pc.binary_join_element_wise(*parts, _BETWEEN)
    digests = [
        hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_N_DIGITS]
        for chunk in joined.chunks
        for text in chunk.to_pylist()
    ]
    return pa.chunked_array([pa.array(digests, pa.string())])


def numbered(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return ids in which the second of a kind ends in `-2`, the third in `-3`.

    Examples:
        >>> numbered(pa.chunked_array([["a", "b", "a"]])).to_pylist()
        ['a', 'b', 'a-2']

    """
    twice = set(repeated_ids(ids))
    if not twice:
        return ids
    seen: Counter[str] = Counter()
    names = []
    for name in ids.to_pylist():
        seen[name] += name in twice
        names.append(f"{name}-{seen[name]}" if seen[name] > 1 else name)
    return pa.chunked_array([pa.array(names, pa.string())])


def refuse_repeats(
    ids: pa.ChunkedArray, inputs: pa.ChunkedArray, *, shown: str
) -> None:
    """Raise where two examples are the same.

    Raises:
        DataError: They are; the message quotes the first ones.

    """
    twice = repeated_ids(ids)
    if twice:
        rows = pc.index_in(pa.array(twice, pa.string()), value_set=ids)
        texts = [repr(text)[:60] for text in inputs.take(rows).to_pylist()]
        occur = "examples occur" if len(twice) > 1 else "example occurs"
        raise DataError(
            f"{shown}: {len(twice)} {occur} more than once: {some(texts)}. "
            "Remove the repeats, map an id in fields, or allow 'repeats: number'."
        )
