"""A split in batches, plain answers to it, and what is right about them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Ints
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.models.parser_batching import packed
from compat_eval.models.tree_seq2seq_words import words_of
from compat_eval.tasks.semantic import Semantic
from experiments.parsing.graded import Graded

TASK = Semantic()
LEVELS = ("exact_match", "span_subtree", "span_label", "intent")
_BATCH_TOKENS = 1500


@dataclass(frozen=True)
class Split:
    """The utterances of a split, in batches."""

    name: str
    examples: Examples

    @cached_property
    def inputs(self) -> list[str]:
        found: list[str] = self.examples.column("input").to_pylist()
        return found

    @cached_property
    def batches(self) -> list[Ints]:
        lengths = np.array([len(words_of(one)) + 1 for one in self.inputs], np.int64)
        return packed(lengths, _BATCH_TOKENS)

    def batched(self, items: Sequence[Any]) -> Iterator[list[Any]]:
        """Yield items batch by batch."""
        for rows in self.batches:
            yield [items[row] for row in rows]

    def in_order(self, found: Sequence[Any]) -> list[Any]:
        """Return what was found batch by batch in the order of the examples."""
        order = np.argsort(np.concatenate(self.batches))
        return [found[at] for at in order]

    def grade(self, answers: Sequence[str], cpu_seconds: float) -> Graded:
        """Grade answers in the order of the examples."""
        table = {"id": self.examples.ids, "prediction": pa.array(answers, pa.string())}
        said = Predictions(pa.table(table))
        return Graded(
            levels={n: TASK.correct(self.examples, said, n) for n in LEVELS},
            cpu_seconds=cpu_seconds,
        )


class WritesTrees(Protocol):
    """Answers utterances with trees."""

    def encode(self, inputs: Sequence[Any]) -> Sequence[Any]:
        """Return one item an utterance."""

    def best_texts(self, items: Sequence[Any]) -> list[str]:
        """Return the answer to each of at least one utterance."""


def plain(model: WritesTrees, split: Split) -> list[str]:
    """Return a model's answers, as its `predict` makes them."""
    items = model.encode(split.inputs)
    found = [text for batch in split.batched(items) for text in model.best_texts(batch)]
    return split.in_order(found)
