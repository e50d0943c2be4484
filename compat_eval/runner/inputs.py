"""Each question once: inputs by content."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.core.fingerprint import canonical_json

KEY_BYTES = 32

_NOT_TEXT = b"\xff"
"""A byte that UTF-8 never has: a text and a structure cannot share a key."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The distinct inputs of some examples, in order of first appearance.

    Attributes:
        keys: SHA-256 of each distinct input, 32 bytes; shape (n_inputs,).
        values: The distinct inputs; shape (n_inputs,).
        codes: Which distinct input each example has; shape (n_examples,).

    """

    keys: pa.FixedSizeBinaryArray
    values: pa.ChunkedArray
    codes: Ints

    @classmethod
    def of(cls, examples: Examples) -> "Inputs":
        """Return the distinct inputs of examples.

        Raises:
            DataError: There is no input column, or an input is neither text nor
                made of what JSON knows.

        """
        column = examples.column("input")
        encoded = input_keys(column).dictionary_encode()
        codes = encoded.indices.to_numpy().astype(np.int64)
        first = np.zeros(len(encoded.dictionary), np.int64)
        first[codes[::-1]] = np.arange(len(codes), dtype=np.int64)[::-1]
        return cls(encoded.dictionary, column.take(pa.array(first)), codes)

    def __len__(self) -> int:
        return len(self.keys)


def input_keys(column: pa.ChunkedArray) -> pa.FixedSizeBinaryArray:
    """Return the SHA-256 of each input: of its UTF-8 bytes where it is text."""
    digests = b"".join(_chunk_digests(chunk) for chunk in column.chunks)
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(KEY_BYTES), len(column), [None, pa.py_buffer(digests)]
    )


def _chunk_digests(chunk: pa.Array) -> bytes:
    sha256 = hashlib.sha256
    text = pa.types.is_string(chunk.type) or pa.types.is_large_string(chunk.type)
    if text and not chunk.null_count:
        return b"".join([sha256(piece).digest() for piece in _pieces(chunk)])
    return b"".join([sha256(_content(value)).digest() for value in chunk.to_pylist()])


def _pieces(chunk: pa.Array) -> Iterator[bytes]:
    """Yield the UTF-8 of each text, without a Python text in between."""
    width = np.int32 if pa.types.is_string(chunk.type) else np.int64
    _, offsets, data = chunk.buffers()
    ends = np.frombuffer(offsets, width) if offsets else np.zeros(1, width)
    ends = ends[chunk.offset : chunk.offset + len(chunk) + 1].tolist()
    whole = data.to_pybytes() if data else b""
    return (whole[start:end] for start, end in pairwise(ends))


def _content(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode()
    try:
        return _NOT_TEXT + canonical_json(value).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError) as error:
        raise DataError(
            "an input must be text, or made of texts, numbers, lists and fields; "
            f"got {value!r:.80} ({error})"
        ) from error
