"""What a dependency parser reads and answers, in the form of the task's tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.core.errors import DataError
from compat_eval.tasks.dependency.trees import TREE_TYPE


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words with their universal parts of speech.

    Attributes:
        words: Forms, at least one.
        tags: One for each word; `_` where it is not known.

    """

    words: tuple[str, ...]
    tags: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.words)


@dataclass(frozen=True, slots=True)
class Tree:
    """A labelled dependency tree.

    Attributes:
        heads: For each word the number of its head, words counted from 1; 0
            where the word hangs from the root.
        deprels: For each word the name of its relation.

    """

    heads: tuple[int, ...]
    deprels: tuple[str, ...]

    @classmethod
    def of(cls, answer: object) -> "Tree":
        """Read an answer of the dependency task; what is none becomes `NO_TREE`."""
        try:
            heads, deprels = _lists(answer, "heads", "deprels")
        except DataError:
            return NO_TREE
        return cls(tuple(-1 if h is None else int(h) for h in heads), tuple(deprels))

    def as_answer(self) -> dict[str, list[Any]]:
        """Return the tree as a row of a `prediction` column."""
        return {"heads": list(self.heads), "deprels": list(self.deprels)}


NO_TREE = Tree((-1,), ("",))
"""Stands for an answer that is no tree; no parser can have made it."""


def sentence_from(value: object) -> Sentence:
    """Read one input of the dependency task.

    Raises:
        DataError: It has no lists `words` and `upos` of one length.

    Examples:
        >>> sentence_from({"words": ["Go", "!"], "upos": ["VERB", "PUNCT"]}).words
        ('Go', '!')

    """
    words, tags = _lists(value, "words", "upos")
    return Sentence(tuple(words), tuple(tag or "_" for tag in tags))


def tree_from(value: object, sentence: Sentence) -> Tree:
    """Read one gold answer of the dependency task.

    Raises:
        DataError: It has no lists `heads` and `deprels` of the sentence's length,
            or a head is no word of the sentence.

    """
    heads, deprels = _lists(value, "heads", "deprels")
    if len(heads) != len(sentence):
        raise DataError(
            f"the tree has {len(heads)} heads for {len(sentence)} words "
            f"({' '.join(sentence.words[:5])} …)"
        )
    outside = np.setdiff1d(np.asarray(heads, np.int64), np.arange(len(heads) + 1))
    if len(outside):
        raise DataError(f"head {outside[0]} is no word of a sentence of {len(heads)}")
    return Tree(tuple(map(int, heads)), tuple(deprels))


def answer_column(trees: Sequence[Tree]) -> pa.Array:
    """Return trees as a `prediction` column."""
    return pa.array([tree.as_answer() for tree in trees], TREE_TYPE)


def answers_of(trees: Sequence[Sequence[Tree]]) -> list[list[dict[str, list[Any]]]]:
    """Return several trees of each sentence as rows of a `prediction` column."""
    return [[tree.as_answer() for tree in of_one] for of_one in trees]


def _lists(value: object, first: str, second: str) -> tuple[list[Any], list[Any]]:
    if not isinstance(value, Mapping) or value.get(first) is None:
        raise DataError(
            f"expected lists {first!r} and {second!r}, as in the dependency task; got "
            f"{type(value).__name__}"
        )
    ours, theirs = list(value[first]), list(value.get(second) or [])
    if len(ours) != len(theirs):
        raise DataError(f"{len(ours)} {first} but {len(theirs)} {second}")
    return ours, theirs
