"""A split in batches, and answers to it."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Ints
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.models.parsing.batching import packed

T = TypeVar("T")


@dataclass(frozen=True)
class Split:
    """The examples of a split, in batches.

    Attributes:
        examples: With a column `input`.
        n_tokens: How many tokens an input has.
        batch_tokens: About how many tokens a batch holds.

    """

    examples: Examples
    n_tokens: Callable[[Any], int]
    batch_tokens: int

    @cached_property
    def inputs(self) -> list[Any]:
        found: list[Any] = self.examples.column("input").to_pylist()
        return found

    @cached_property
    def batches(self) -> list[Ints]:
        lengths = np.array([self.n_tokens(one) + 1 for one in self.inputs], np.int64)
        return packed(lengths, self.batch_tokens)

    def batched(self, items: Sequence[Any]) -> Iterator[list[Any]]:
        """Yield items batch by batch."""
        for rows in self.batches:
            yield [items[row] for row in rows]

    def in_order(self, found: Sequence[T]) -> list[T]:
        """Return what was found batch by batch in the order of the examples."""
        order = np.argsort(np.concatenate(self.batches))
        return [found[at] for at in order]

    def answered(
        self, answer: Callable[..., Sequence[T]], *items: Sequence[Any]
    ) -> tuple[list[T], float]:
        """Return answers in the order of the examples, and their CPU seconds.

        Args:
            answer: Takes a batch of each kind of items, and answers its examples.
            items: One an example, each kind in the order of the examples.

        """
        batches = list(zip(*map(self.batched, items), strict=True))
        began = time.process_time()
        found = [one for batch in batches for one in answer(*batch)]
        seconds = time.process_time() - began
        return self.in_order(found), seconds

    def predictions(self, answers: Sequence[Any] | pa.Array) -> Predictions:
        """Return answers, given in the order of the examples, as predictions."""
        return Predictions(pa.table({"id": self.examples.ids, "prediction": answers}))
