"""What breakdowns of parses group words and sentences by, and where words stand.

Everything is said of the gold tree, so that both sides have the same groups.

Source: the groupings are those of the analyses that Cai et al., "Measuring and
Reducing Model Update Regression in Structured Prediction for NLP", NeurIPS 2022,
https://arxiv.org/abs/2202.02976, released with their code.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.examples import Examples
from compat_eval.core.places import Places
from compat_eval.tasks.binned_facets import binned, named
from compat_eval.tasks.dependency.trees import Relations, flat_relations, list_offsets

_DISTANCES = (1, 2, 3, 4, 5, 7, 11, 21)
_LENGTHS = (1, 6, 11, 16, 21, 31, 41)


@dataclass(frozen=True, slots=True, kw_only=True)
class _GoldWords:
    """The words of the gold trees.

    Attributes:
        heads: Number of each word's head in its sentence, 0 for the root, shape
            (n_words,).
        position: Number of each word in its sentence, from 1, shape (n_words,).
        start: Words of its sentence begin here, shape (n_words,).
        offsets: Words of sentence `i` are `offsets[i]` to `offsets[i + 1]`.

    """

    heads: Ints
    position: Ints
    start: Ints
    offsets: Ints

    @classmethod
    def of(cls, examples: Examples) -> "_GoldWords":
        """Return the words of the examples' gold trees."""
        heads = pc.struct_field(examples.column("gold").combine_chunks(), "heads")
        offsets = list_offsets(heads)
        start = np.repeat(offsets[:-1], np.diff(offsets))
        flat = np.asarray(heads.flatten(), np.int64)
        position = np.arange(len(flat), dtype=np.int64) - start + 1
        return cls(heads=flat, position=position, start=start, offsets=offsets)

    def parents(self) -> Ints:
        """Return each word's head among all words, -1 for a root."""
        return np.where(self.heads == 0, -1, self.start + self.heads - 1)


def word_facets(examples: Examples, counted: Bools, relations: Relations) -> pa.Table:
    """Return the facets of counted words.

    Args:
        examples: Gold trees, with `upos` in the input where it is known.
        counted: Which words are units, shape (n_words,).
        relations: Whether relations have subtypes.

    """
    words = _GoldWords.of(examples)
    gold = examples.column("gold")
    whole, universal = (flat_relations(gold, how) for how in (relations, "universal"))
    columns: dict[str, pa.Array] = {"relation": named(whole)}
    if not whole.equals(universal):
        columns["universal_relation"] = named(universal)
    tags = _tags(examples)
    if tags is not None:
        columns["part_of_speech"] = named(tags)
        columns["part_of_speech_of_head"] = named(_of_heads(tags, words))
    distance = np.where(words.heads == 0, 0, abs(words.heads - words.position))
    length = np.repeat(np.diff(words.offsets), np.diff(words.offsets))
    columns["head_distance"] = binned(distance, _DISTANCES, zero="root")
    columns["sentence_length"] = binned(length, _LENGTHS)
    return pa.table(columns).filter(pa.array(counted))


def sentence_facets(examples: Examples) -> pa.Table:
    """Return the facets of whole sentences."""
    offsets = _GoldWords.of(examples).offsets
    return pa.table({"sentence_length": binned(np.diff(offsets), _LENGTHS)})


def word_places(examples: Examples, counted: Bools) -> Places:
    """Return where counted words stand; other words are nodes all the same."""
    words = _GoldWords.of(examples)
    units = np.flatnonzero(counted)
    return Places(
        begin=words.position[units] - 1,
        end=words.position[units],
        node=units,
        parent=words.parents(),
    )


def _tags(examples: Examples) -> pa.Array | None:
    if "input" not in examples:
        return None
    given = examples.column("input").combine_chunks()
    if not pa.types.is_struct(given.type) or given.type.get_field_index("upos") < 0:
        return None
    return pc.struct_field(given, "upos").flatten()


def _of_heads(tags: pa.Array, words: _GoldWords) -> pa.Array:
    parents = words.parents()
    theirs = tags.take(pa.array(np.maximum(parents, 0)))
    return pc.if_else(pa.array(parents < 0), "root", theirs)
