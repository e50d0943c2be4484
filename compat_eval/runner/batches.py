"""Inputs, each once, as the model wants them, packed into batches."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Self, TypeVar

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.errors import CompatEvalError, DataError, ModelError
from compat_eval.core.examples import Examples
from compat_eval.core.fingerprint import canonical_json
from compat_eval.core.progress import Progress
from compat_eval.core.protocols import Encodes, Item, Predicts
from compat_eval.runner.failure import Failure, release_memory
from compat_eval.runner.settings import RunSettings
from compat_eval.runner.shards import Shard

_T = TypeVar("_T")
_R = TypeVar("_R")
_KEY_BYTES = 32

_NOT_TEXT = b"\xff"
"""A byte that UTF-8 never has: a text and a structure cannot share a key."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The distinct inputs of some examples, in order of first appearance.

    Attributes:
        keys: SHA-256 of each distinct input, 32 bytes; shape (n_inputs,).
        values: The distinct inputs; shape (n_inputs,).
        codes: Which distinct input each example has; shape (n_examples,).
        beside: What else belongs to each question; `None` for nothing.

    """

    keys: pa.FixedSizeBinaryArray
    values: pa.ChunkedArray
    codes: Ints
    beside: Sequence[Any] | None = None

    @classmethod
    def of(cls, examples: Examples, beside: pa.ChunkedArray | None = None) -> "Inputs":
        """Return the distinct inputs of examples.

        Args:
            examples: With a column `input`.
            beside: What else belongs to each example's question, such as candidates;
                shape (n_examples,).

        Raises:
            DataError: There is no input column, or an input is neither text nor
                made of what JSON knows.

        """
        column = examples.column("input")
        keys = input_keys(column)
        if beside is not None:
            keys = _keys_of_pairs(keys, input_keys(beside))
        encoded = keys.dictionary_encode()
        codes = encoded.indices.to_numpy().astype(np.int64)
        first = np.zeros(len(encoded.dictionary), np.int64)
        first[codes[::-1]] = np.arange(len(codes), dtype=np.int64)[::-1]
        at = pa.array(first)
        about = None if beside is None else beside.take(at).to_pylist()
        return cls(encoded.dictionary, column.take(at), codes, about)

    def __len__(self) -> int:
        return len(self.keys)


def input_keys(column: pa.ChunkedArray) -> pa.FixedSizeBinaryArray:
    """Return the SHA-256 of each input: of its UTF-8 bytes where it is text."""
    digests = b"".join(_chunk_digests(chunk) for chunk in column.chunks)
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(_KEY_BYTES), len(column), [None, pa.py_buffer(digests)]
    )


def _keys_of_pairs(
    one: pa.FixedSizeBinaryArray, other: pa.FixedSizeBinaryArray
) -> pa.FixedSizeBinaryArray:
    pairs = zip(one.to_pylist(), other.to_pylist(), strict=True)
    digests = b"".join(hashlib.sha256(a + b).digest() for a, b in pairs)
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(_KEY_BYTES), len(one), [None, pa.py_buffer(digests)]
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


@dataclass(frozen=True, slots=True)
class Encoded:
    """What a model is to be asked, and in which batches.

    Attributes:
        items: One for each distinct input; `None` where it could not be made.
        batches: Positions of the items of each batch; shape (n_items,) each.
        failures: Why an input could not become an item, by its position.

    """

    items: Sequence[Item | None]
    batches: Sequence[Ints]
    failures: Mapping[int, Failure]

    def share(self, shard: Shard) -> Self:
        """Return this shard's batches and failures."""
        failures = dict(shard.of(list(self.failures.items())))
        return replace(self, batches=shard.of(self.batches), failures=failures)

    def members(self) -> Bools:
        """Return which inputs are in a batch or failed; shape (n_inputs,)."""
        inside = np.zeros(len(self.items), np.bool_)
        inside[list(self.failures)] = True
        for batch in self.batches:
            inside[batch] = True
        return inside


def encoded(
    model: Predicts,
    asked: Inputs,
    settings: RunSettings,
    progress: Progress,
    *,
    label: str,
    timed: Callable[[Callable[[], Sequence[Item]]], Sequence[Item]],
) -> Encoded:
    """Encode every input in large chunks, and plan the batches.

    A model that cannot say how long an input is gets them in their order, so
    many at a time.

    Raises:
        ModelError: The model made more or fewer items than it was given inputs.

    """
    inputs = asked.values.to_pylist()
    if not isinstance(model, Encodes):
        whole = in_order(len(inputs), batch_size=settings.batch_cap)
        return Encoded(inputs, whole, {})

    def encode(some: Sequence[Any]) -> Sequence[Item]:
        return _list(timed(lambda: model.encode(some)))

    items: list[Item | None] = []
    failures: dict[int, Failure] = {}
    progress.start(f"{label}: encoding", total=len(inputs))
    try:
        for start in range(0, len(inputs), settings.chunk_size):
            chunk = inputs[start : start + settings.chunk_size]
            for count, made in attempt(encode, chunk):
                _take_up(made, count, items, failures)
            progress.advance(len(chunk))
    finally:
        progress.stop()
    return Encoded(items, _planned(items, failures, settings), failures)


def _list(made: object) -> list[Item]:
    if isinstance(made, Mapping | str | bytes) or not isinstance(made, Iterable):
        raise ModelError(f"encode must return a list; got {type(made).__name__}")
    return list(made)


def _take_up(
    made: Sequence[Item] | Failure,
    count: int,
    items: list[Item | None],
    failures: dict[int, Failure],
) -> None:
    if isinstance(made, Failure):
        failures[len(items)] = made
        items.append(None)
        return
    if len(made) != count:
        raise ModelError(f"encode was given {count} inputs and made {len(made)} items")
    items.extend(made)


def _length(item: Item | None) -> int:
    try:
        return len(item)  # type: ignore[arg-type]
    except Exception as error:  # a model's items can raise anything
        raise ModelError(
            "len() of an item that encode made must be its length; of a "
            f"{type(item).__name__} it raised {type(error).__name__}: {error}"
        ) from error


def _planned(
    items: Sequence[Item | None], failures: Mapping[int, Failure], settings: RunSettings
) -> list[Ints]:
    sound = [at for at in range(len(items)) if at not in failures]
    plan = by_length(
        [_length(items[at]) for at in sound],
        token_budget=settings.token_budget,
        batch_cap=settings.batch_cap,
    )
    positions = np.array(sound, np.int64)
    return [positions[batch] for batch in plan]


def by_length(
    lengths: Sequence[int] | Ints, *, token_budget: int, batch_cap: int
) -> list[Ints]:
    """Pack items into batches, longest first, so that little of a batch is padding.

    Every item is in exactly one batch. Longest item times items is at most the
    budget, except where a single item is longer than the budget. Items of one
    length keep their order, so the plan is the same every time.

    Args:
        lengths: Tokens of each item, shape (n_items,).
        token_budget: Most padded tokens in a batch.
        batch_cap: Most items in a batch.

    Returns:
        Positions of the items of each batch.

    Examples:
        >>> plan = by_length([3, 9, 4], token_budget=10, batch_cap=8)
        >>> [batch.tolist() for batch in plan]
        [[1], [2, 0]]

    """
    sizes = np.asarray(lengths, np.int64)
    order = np.argsort(-sizes, kind="stable")
    batches = []
    start = 0
    while start < len(order):
        longest = max(int(sizes[order[start]]), 1)
        count = min(max(token_budget // longest, 1), batch_cap)
        batches.append(order[start : start + count])
        start += count
    return batches


def in_order(n_items: int, *, batch_size: int) -> list[Ints]:
    """Cut items into batches of one size, in their order.

    Examples:
        >>> [batch.tolist() for batch in in_order(3, batch_size=2)]
        [[0, 1], [2]]

    """
    order = np.arange(n_items, dtype=np.int64)
    return [order[at : at + batch_size] for at in range(0, n_items, batch_size)]


def attempt(
    call: Callable[[Sequence[_T]], _R], items: Sequence[_T]
) -> Iterator[tuple[int, _R | Failure]]:
    """Call with all items, or with ever smaller halves where that raises.

    Yields, in the items' order, how many items a result covers and the result;
    an item with which the call raises even alone yields its failure. What the
    user can mend (`CompatEvalError`) and what stops a process
    (`KeyboardInterrupt`) pass through.

    Examples:
        >>> list(attempt(lambda xs: [10 // x for x in xs], [5, 0]))[1][1].text
        'ZeroDivisionError: integer division or modulo by zero'

    """
    result = _once(call, items)
    if not isinstance(result, Failure):
        yield len(items), result
        return
    if result.out_of_memory:
        release_memory()
    if len(items) == 1:
        yield 1, result
        return
    middle = (len(items) + 1) // 2
    yield from attempt(call, items[:middle])
    yield from attempt(call, items[middle:])


def _once(call: Callable[[Sequence[_T]], _R], items: Sequence[_T]) -> _R | Failure:
    # Returning ends the exception's life, and with its traceback that of the
    # arrays which the failed call still held.
    try:
        return call(items)
    except CompatEvalError:
        raise
    except Exception as error:  # noqa: BLE001 - any failure is the example's answer
        return Failure.of(error)
