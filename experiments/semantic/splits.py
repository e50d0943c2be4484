"""The splits of TOPv2, plain answers to them, and what counts as right."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol

import pyarrow as pa

from compat_eval.models.tree_seq2seq.reading import words_of
from compat_eval.tasks.semantic.task import Semantic
from experiments.semantic.places import topv2
from experiments.updates.graded import Grading
from experiments.updates.splits import Split

LEVELS = ("exact_match", "span_subtree", "span_label", "intent")
GRADING = Grading(Semantic(), LEVELS)


@cache
def split_of(name: str) -> Split:
    return Split(topv2(name), lambda one: len(words_of(one)), batch_tokens=1500)


class WritesTrees(Protocol):
    """Answers utterances with trees."""

    def encode(self, inputs: Sequence[Any]) -> Sequence[Any]:
        """Return one item an utterance."""

    def predict(self, items: Sequence[Any]) -> pa.Table:
        """Return a column `prediction`."""


def plain(model: WritesTrees, split: Split) -> tuple[list[str], float]:
    """Return a model's answers, as its `predict` makes them, and their CPU seconds."""
    return split.answered(
        lambda inputs: model.predict(model.encode(inputs))["prediction"].to_pylist(),
        split.inputs,
    )
