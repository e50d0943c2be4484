"""A split in batches, and plain answers to it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeVar

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Ints
from compat_eval.core.examples import Examples
from compat_eval.models.parser_batching import packed
from compat_eval.models.parser_sentence import Tree, answer_column

_BATCH_TOKENS = 2000

T = TypeVar("T")


@dataclass(frozen=True)
class Split:
    """The sentences of a split, in batches."""

    name: str
    examples: Examples

    @cached_property
    def inputs(self) -> list[Any]:
        found: list[Any] = self.examples.column("input").to_pylist()
        return found

    @cached_property
    def batches(self) -> list[Ints]:
        lengths = np.array([len(one["words"]) + 1 for one in self.inputs], np.int64)
        return packed(lengths, _BATCH_TOKENS)

    def batched(self, items: Sequence[Any]) -> Iterator[list[Any]]:
        """Yield items batch by batch."""
        for rows in self.batches:
            yield [items[row] for row in rows]

    def in_order(self, found: Sequence[T]) -> list[T]:
        """Return what was found batch by batch in the order of the examples."""
        order = np.argsort(np.concatenate(self.batches))
        return [found[at] for at in order]

    def column(self, answers: Sequence[Tree]) -> pa.Array:
        """Return trees, given batch by batch, in the order of the examples."""
        return answer_column(self.in_order(answers))


class AnswersTrees(Protocol):
    """Answers sentences with trees."""

    def encode(self, inputs: Sequence[Any]) -> Sequence[Any]:
        """Return one item an input."""

    def best_trees(self, items: Sequence[Any]) -> list[Tree]:
        """Return the answer to each of at least one sentence."""


def plain(model: AnswersTrees, items: Sequence[Any], split: Split) -> pa.Array:
    """Return a parser's answers, as its `predict` makes them."""
    answers: list[Tree] = []
    for batch in split.batched(items):
        answers += model.best_trees(batch)
    return split.column(answers)
