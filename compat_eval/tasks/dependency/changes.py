"""Which gold words two parses treat differently."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.tasks.dependency.grading import GradedWords, Relations, flat_relations

_NO_HEAD, _NO_ANSWER = -1, -2


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
    flat = flat_relations(side.column("prediction").combine_chunks(), relations)
    at = np.cumsum(words.answered) - 1
    return flat.take(pa.array(at, mask=~words.answered))
