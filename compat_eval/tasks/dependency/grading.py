"""Which heads and relations of gold words a model got right."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.errors import DataError, some
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.table import bools
from compat_eval.tasks.dependency.conllu_checks import are_no_trees
from compat_eval.tasks.dependency.table import NO_TREE, official_counts_in
from compat_eval.tasks.dependency.ud_text import list_offsets

Relations: TypeAlias = Literal["full", "universal"]


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
        g_relations = flat_relations(gold, relations).filter(pa.array(answered_words))
        equal = pc.equal(g_relations, flat_relations(said, relations))
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


def flat_relations(trees: pa.StructArray, relations: Relations) -> pa.Array:
    """Return the relations of all words, whole or without subtype."""
    flat = pc.struct_field(trees, "deprels").flatten()
    if relations == "full":
        return flat
    return pc.replace_substring_regex(flat, pattern=":.*$", replacement="")


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
