"""A part of a run: fewer examples, or a share that one of several processes does."""

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa

from compat_eval.core.errors import CoverageError, UsageError, some
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.table import positions
from compat_eval.runner.answers import joined, tidy

_T = TypeVar("_T")


def limit(examples: Examples, size: float) -> Examples:
    """Keep some examples, chosen by a hash of their id, in their order.

    The choice depends on the ids alone, and a smaller limit keeps a part of
    what a larger one keeps.

    Args:
        examples: What to choose from.
        size: How many (an `int`), or which share of them (a `float` in (0, 1];
            rounded up).

    Raises:
        UsageError: The size is neither.

    """
    wanted = _count(size, len(examples))
    if wanted >= len(examples):
        return examples
    ranks = [
        hashlib.sha256(name.encode()).digest() for name in examples.ids.to_pylist()
    ]
    chosen = sorted(range(len(ranks)), key=ranks.__getitem__)[:wanted]
    return examples.take(np.sort(np.array(chosen, np.int64)))


def parse_limit(text: str) -> float:
    """Read a limit: a whole number is a count, one with a point is a share.

    Examples:
        >>> parse_limit("100"), parse_limit("0.1")
        (100, 0.1)

    Raises:
        UsageError: The text is no such number.

    """
    try:
        size = float(text) if "." in text else int(text)
    except ValueError as error:
        raise UsageError(_expected(text)) from error
    _count(size, 1)
    return size


@dataclass(frozen=True, slots=True)
class Shard:
    """Share `index` of `count`, counted from 1.

    Shares are taken from the planned batches, every `count`-th one, so that a
    batch has the same members as in an undivided run, and so has its answer.
    """

    index: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise UsageError(
                "a shard is i/n with i from 1 to n, such as 2/4; "
                f"got {self.index}/{self.count}"
            )

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read `i/n`.

        Examples:
            >>> Shard.parse("2/4")
            Shard(index=2, count=4)

        Raises:
            UsageError: The text is not of that form, or i is not from 1 to n.

        """
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip(), re.ASCII)
        if match is None:
            raise UsageError(
                f"a shard is i/n with i from 1 to n, such as 2/4; got {text!r}"
            )
        return cls(int(match[1]), int(match[2]))

    def of(self, things: Sequence[_T]) -> Sequence[_T]:
        """Return this share of a sequence.

        Examples:
            >>> Shard(2, 3).of("abcdef")
            'be'

        """
        return things[self.index - 1 :: self.count]

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def merge_predictions(
    parts: Sequence[Predictions], *, ids: pa.ChunkedArray
) -> Predictions:
    """Stack the shards' predictions and bring them into the examples' order.

    Args:
        parts: Predictions of each shard.
        ids: Ids of all examples, in their order.

    Raises:
        CoverageError: An example is in no part or in two, or a part has one
            that is not among the ids.

    """
    stacked = Predictions(joined([part.table for part in parts]))
    at = positions(ids, stacked.ids)
    missing = ids.filter(pa.array(at < 0))
    if len(missing):
        raise CoverageError(
            f"{len(missing)} examples are in no part: {some(missing.to_pylist())}; "
            "run their shard again"
        )
    if len(stacked) > len(ids):
        strange = stacked.ids.filter(pa.array(positions(stacked.ids, ids) < 0))
        raise CoverageError(
            f"{len(strange)} answers are to no example: {some(strange.to_pylist())}; "
            "the parts belong to another suite"
        )
    return Predictions(
        tidy(stacked.table.take(pa.array(at)), stacked.answer_columns[0])
    )


def _count(size: float, n_examples: int) -> int:
    if isinstance(size, int):
        if size >= 1:
            return size
    elif 0 < size <= 1:
        return math.ceil(size * n_examples)
    raise UsageError(_expected(size))


def _expected(got: object) -> str:
    return (
        "a limit is a number of examples from 1, such as 200, "
        f"or a share of them above 0, such as 0.1; got {got}"
    )
