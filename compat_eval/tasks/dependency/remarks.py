"""What must be known of two sides' parses before their numbers are read."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import DataError, some
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.tasks.dependency.grade import no_trees
from compat_eval.tasks.dependency.trees import flat_relations

_SUBTYPE = ".:."
_UNMARKED = "_"  # how CoNLL-U writes that there is no value


def refuse_no_trees(side: str, predictions: Predictions) -> None:
    """Stop at answers that are no tree.

    Raises:
        DataError: There are some.

    """
    ids = _no_tree_ids(predictions)
    if ids:
        raise DataError(
            f"{side}: {len(ids)} answers are no tree with one root ({some(ids)}); mend "
            "them, or count them as wrong with not_trees=wrong"
        )


def remarks_on_trees(side: str, predictions: Predictions) -> Iterator[str]:
    """Tell which answers are no tree."""
    ids = _no_tree_ids(predictions)
    if ids:
        are = "answers are no trees" if len(ids) > 1 else "answer is no tree"
        yield (
            f"{side}: {len(ids)} {are} with one root ({some(ids)}), and wrong at every "
            "level; not_trees=refuse stops at such answers."
        )


def remarks_on_relations(
    side: str, examples: Examples, said: Predictions, *, subtypes: bool
) -> Iterator[str]:
    """Tell of a side that writes no relations, or none of gold's subtypes."""
    gold = flat_relations(examples.column("gold"))
    found = pc.unique(flat_relations(said.column("prediction"))).drop_null()
    if not len(found) or found.to_pylist() == [_UNMARKED]:
        yield (
            f"{side} answers without any relation, so it is wrong at las and lcm "
            "throughout; uas and ucm compare its heads."
        )
        return
    if not subtypes:
        return
    has_subtype = pc.match_substring_regex(gold, _SUBTYPE)
    n = pc.sum(has_subtype).as_py() or 0
    if n and not pc.any(pc.match_substring_regex(found, _SUBTYPE)).as_py():
        first = gold.filter(has_subtype)[0].as_py()
        yield (
            f"{side} never writes a subtype of a relation, and gold does for {n:,} of "
            f"{len(gold):,} words ({first!r} first): all of them count as wrong at las "
            "and lcm. Where that is another convention and no mistake, compare without "
            "subtypes: relations=universal, or preset=official."
        )


def remarks_on_punctuation(examples: Examples, tags: tuple[str, ...]) -> Iterator[str]:
    """Tell where nothing is excluded as punctuation although there is some."""
    upos = pc.struct_field(examples.column("input").combine_chunks(), "upos").flatten()
    if pc.any(pc.is_in(upos, value_set=pa.array(tags))).as_py():
        return
    relations = flat_relations(examples.column("gold"))
    n = int(np.count_nonzero(pc.equal(relations, "punct")))
    if n:
        yield (
            f"No gold word is tagged {' or '.join(tags)}, so nothing is excluded as "
            f"punctuation, and {n:,} words with the relation 'punct' count. Give gold "
            "with such tags, or say that they count: punctuation=include, "
            "tree_punctuation=include."
        )


def _no_tree_ids(predictions: Predictions) -> list[str]:
    return list(predictions.ids.filter(pa.array(no_trees(predictions))).to_pylist())
