"""The splits of UD English EWT, plain answers to them, and what counts as right."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol

import pyarrow as pa

from compat_eval.core.arrays import Ints
from compat_eval.core.examples import Examples
from compat_eval.tasks.dependency.task import dependency
from compat_eval.tasks.dependency.trees import TREE_TYPE
from experiments.parsing.places import treebank
from experiments.updates.graded import Grading
from experiments.updates.splits import Split

LEVELS = ("ucm", "uas", "lcm", "las")
GRADING = Grading(dependency(preset="bcr-paper"), LEVELS)


@cache
def split_of(name: str) -> Split:
    return sentences_split(treebank(name))


def sentences_split(examples: Examples) -> Split:
    """Return sentences in batches."""
    return Split(examples, lambda one: len(one["words"]), batch_tokens=2000)


@cache
def documents(split: str) -> Ints | None:
    """Return the document of each sentence, numbered from 0."""
    return treebank(split).clusters()


class AnswersTrees(Protocol):
    """Answers sentences with trees."""

    def encode(self, inputs: Sequence[Any]) -> Sequence[Any]:
        """Return one item an input."""

    def predict(self, items: Sequence[Any]) -> pa.Table:
        """Return a column `prediction`."""


def plain(model: AnswersTrees, split: Split) -> tuple[pa.Array, float]:
    """Return a parser's answers, as its `predict` makes them, and their CPU seconds.

    Reading the sentences is not counted.
    """
    answers, seconds = split.answered(
        lambda items: model.predict(items)["prediction"].to_pylist(),
        model.encode(split.inputs),
    )
    return pa.array(answers, TREE_TYPE), seconds
