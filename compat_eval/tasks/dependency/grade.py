"""Which heads and relations of gold words are right, and which changed."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.errors import DataError, some
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.table import bools
from compat_eval.tasks.dependency.trees import (
    NO_TREE,
    Relations,
    are_no_trees,
    flat_relations,
    list_offsets,
    official_counts_in,
)

_NO_HEAD, _NO_ANSWER = -1, -2


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedWords:
    """What is right of each gold word.

    Attributes:
        heads: Which words have their gold head, shape (n_words,).
        relations: Which have their gold relation, shape (n_words,).
        root: Which are the gold root of their sentence, shape (n_words,).
        answered: Which belong to a sentence that was answered, shape (n_words,).
        whole: Which sentences were answered by a tree of the gold words and no
            others, shape (n_sentences,).
        offsets: Words of sentence `i` are `offsets[i]` to `offsets[i + 1]`.

    """

    heads: Bools
    relations: Bools
    root: Bools
    answered: Bools
    whole: Bools
    offsets: Ints

    @classmethod
    def of(
        cls, examples: Examples, predictions: Predictions, relations: Relations
    ) -> "GradedWords":
        """Compare predictions with gold; nothing is right in what is no tree.

        Raises:
            DataError: Gold or predictions are no trees, or a prediction has not as
                many heads as gold has words.

        """
        _require_trees("gold answers", examples.column("gold"))
        _require_trees("predictions", predictions.column("prediction"))
        gold = examples.column("gold").combine_chunks()
        said = predictions.column("prediction").combine_chunks()
        g_heads = pc.struct_field(gold, "heads")
        s_heads = pc.struct_field(said, "heads")
        offsets = list_offsets(g_heads)
        answered = np.asarray(pc.is_valid(s_heads), np.bool_)
        _require_same_length(examples, offsets, s_heads, answered)
        answered_words = np.repeat(answered, np.diff(offsets))
        heads = np.asarray(g_heads.flatten(), np.int64)
        right = np.zeros(len(heads), np.bool_)
        theirs = np.asarray(pc.fill_null(s_heads.flatten(), -1), np.int64)
        right[answered_words] = heads[answered_words] == theirs
        same = np.zeros(len(heads), np.bool_)
        of_gold = flat_relations(examples.column("gold"), relations)
        answers = flat_relations(predictions.column("prediction"), relations)
        equal = pc.equal(of_gold.filter(pa.array(answered_words)), answers)
        same[answered_words] = np.asarray(pc.fill_null(equal, False), np.bool_)  # noqa: FBT003
        whole = answered
        if "official" in predictions:
            counts = official_counts_in(predictions.column("official"), "words")
            whole = answered & (counts[:, 0] == counts[:, 1])
        no_tree = no_trees(predictions)
        right[np.repeat(no_tree, np.diff(offsets))] = False
        return cls(
            heads=right,
            relations=same,
            root=heads == 0,
            answered=answered_words,
            whole=whole & ~no_tree,
            offsets=offsets,
        )


def no_trees(predictions: Predictions) -> Bools:
    """Return which answers are no tree with one root; shape (n_examples,).

    Laid over gold's words a tree may be in parts, so of files the reader has said it.
    """
    if NO_TREE in predictions:
        return bools(predictions.column(NO_TREE))
    heads = pc.struct_field(predictions.column("prediction").combine_chunks(), "heads")
    flat = np.asarray(pc.fill_null(heads.flatten(), -1), np.int64)
    return are_no_trees(flat, list_offsets(heads))


def _require_trees(what: str, column: pa.ChunkedArray) -> None:
    if not pa.types.is_struct(column.type):
        raise DataError(
            f"dependency compares trees, and the {what} hold {column.type}; give "
            "CoNLL-U files (.conllu), the gold treebank with --gold or a suite"
        )


def _require_same_length(
    examples: Examples, offsets: Ints, heads: pa.ListArray, answered: Bools
) -> None:
    size = np.asarray(pc.fill_null(pc.list_value_length(heads), -1), np.int64)
    wrong = answered & (size != np.diff(offsets))
    if wrong.any():
        ids = examples.ids.filter(pa.array(wrong)).to_pylist()
        at = int(np.argmax(wrong))
        raise DataError(
            f"{len(ids)} predictions have not as many heads as gold has words "
            f"({some(ids)}): sentence {ids[0]} has {np.diff(offsets)[at]} words, got "
            f"{size[at]} heads. Parse the gold words, or give the parses as a "
            "CoNLL-U file, whose words are aligned"
        )


def are_trees(examples: Examples, *sides: Predictions) -> bool:
    """Whether gold and predictions are there, as trees."""
    columns = [(examples, "gold"), *((side, "prediction") for side in sides)]
    return all(
        name in table and pa.types.is_struct(table.column(name).type)
        for table, name in columns
    )


def moved_heads(
    old: Predictions, new: Predictions, graded: tuple[GradedWords, GradedWords]
) -> Bools:
    """Return which words have another head; shape (n_words,).

    Words of a sentence that only one side answers have; that neither does, have not.
    """
    one, other = (
        _heads(side, words) for side, words in zip((old, new), graded, strict=True)
    )
    return np.asarray(one != other, np.bool_)


def moved_relations(
    old: Predictions,
    new: Predictions,
    graded: tuple[GradedWords, GradedWords],
    relations: Relations,
) -> Bools:
    """Return which words have another relation, or one side alone has one."""
    one, other = (
        _relations(side, words, relations)
        for side, words in zip((old, new), graded, strict=True)
    )
    same = pc.fill_null(pc.equal(one, other), False)  # noqa: FBT003
    neither = pc.and_(pc.is_null(one), pc.is_null(other))
    return ~np.asarray(pc.or_(same, neither), np.bool_)


def _heads(side: Predictions, words: GradedWords) -> Ints:
    said = pc.struct_field(side.column("prediction").combine_chunks(), "heads")
    found = np.full(len(words.answered), _NO_ANSWER, np.int64)
    flat = pc.fill_null(said.flatten(), _NO_HEAD)
    found[words.answered] = np.asarray(flat, np.int64)
    return found


def _relations(side: Predictions, words: GradedWords, relations: Relations) -> pa.Array:
    flat = flat_relations(side.column("prediction"), relations)
    at = np.cumsum(words.answered) - 1
    return flat.take(pa.array(at, mask=~words.answered))
