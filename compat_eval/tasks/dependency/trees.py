"""Dependency trees as columns: what holds what, and which heads are no tree."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples

_INPUT = (
    "words",
    "lemmas",
    "upos",
    "xpos",
    "feats",
    "misc",
    "mwt_first",
    "mwt_last",
    "mwt_form",
    "mwt_misc",
)
_TREE = ("heads", "deprels")
NO_TREE = "no_tree"

_COUNTS = ("correct", "system", "gold", "aligned")
"""What the columns of every count are."""

Counts = dict[str, Ints]

Relations: TypeAlias = Literal["full", "universal"]

TREE_TYPE = pa.struct(
    [("heads", pa.list_(pa.int32())), ("deprels", pa.list_(pa.string()))]
)


def examples_of(sentences: pa.Table) -> Examples:
    """Return sentences as examples.

    `input` is a struct of lists (words, their tags, multiword tokens), `gold` a
    struct of the lists `heads` and `deprels`.

    Args:
        sentences: As `read_conllu` gives them.

    Raises:
        CoverageError: Two sentences have one name.

    """
    return Examples(example_columns(sentences))


def example_columns(sentences: pa.Table) -> pa.Table:
    """Return `id`, `input` and `gold` of `examples_of`; ids are not checked."""
    return pa.table(
        {
            "id": sentences["id"],
            "input": _struct(sentences, _INPUT),
            "gold": _struct(sentences, _TREE),
        }
    )


def sentences_of(examples: Examples) -> pa.Table:
    """Return the sentences that `examples_of` made examples of, without comments."""
    columns: dict[str, pa.Array] = {"id": examples.ids}
    for column in ("input", "gold"):
        struct = examples.column(column).combine_chunks()
        for at, field in enumerate(struct.type):
            columns[field.name] = pc.struct_field(struct, [at])
    return pa.table(columns)


def trees(heads: Ints, deprels: pa.Array, offsets: Ints) -> pa.StructArray:
    """Return predictions made of one flat column of heads and one of relations.

    Args:
        heads: Shape (n_words,); -1 where no word of this sentence is the head.
        deprels: Shape (n_words,); null where there is none.
        offsets: Words of sentence `i` are `offsets[i]` to `offsets[i + 1]`.

    """
    at = pa.array(offsets, pa.int32())
    return pa.StructArray.from_arrays(
        [
            pa.ListArray.from_arrays(at, pa.array(heads, pa.int32())),
            pa.ListArray.from_arrays(at, deprels),
        ],
        fields=list(TREE_TYPE),
    )


def as_trees(values: pa.ChunkedArray, *, shown: str) -> pa.ChunkedArray:
    """Return what a file holds as predictions: objects of `heads` and `deprels`.

    Raises:
        DataError: They are none.

    """
    told = (
        f"{shown}: a tree must be an object of the lists heads and deprels, with one "
        "number and one text a word; parsers' output is read from CoNLL-U"
    )
    if not _holds_trees(values.type):
        raise DataError(f"{told}; got {values.type}")
    try:
        found = values.cast(TREE_TYPE)
    except (pa.ArrowException, TypeError) as error:  # further parts, or huge numbers
        raise DataError(f"{told}: {error}") from error
    given = found.filter(pc.is_valid(found))
    heads, deprels = (pc.struct_field(given, part) for part in ("heads", "deprels"))
    sizes = [pc.fill_null(pc.list_value_length(part), -1) for part in (heads, deprels)]
    uneven = pc.or_(pc.not_equal(*sizes), pc.less(sizes[0], 0))
    if pc.any(uneven).as_py() or pc.list_flatten(heads).null_count:
        raise DataError(told)
    return found


def _holds_trees(kind: pa.DataType) -> bool:
    """Whether a type is that of objects with a list of numbers and one of texts."""
    if not pa.types.is_struct(kind):
        return False
    parts = {field.name: field.type for field in kind}
    suited = {"heads": pa.types.is_integer, "deprels": pa.types.is_string}
    return all(
        pa.types.is_list(parts.get(name, pa.null())) and fits(parts[name].value_type)
        for name, fits in suited.items()
    )


def official_column(counts: Counts) -> pa.StructArray:
    """Return counts of the official scores as one column of structs of structs."""
    scores = {
        name: pa.StructArray.from_arrays(
            [pa.array(column, pa.int32()) for column in table.T], names=list(_COUNTS)
        )
        for name, table in counts.items()
    }
    return pa.StructArray.from_arrays(list(scores.values()), names=list(scores))


def official_counts_in(column: pa.ChunkedArray, score: str) -> Ints:
    """Return the counts of one official score, shape (n_examples, 4); 0 for null."""
    found = [pc.struct_field(column, [score, count]) for count in _COUNTS]
    return np.stack(
        [np.asarray(pc.fill_null(one, 0), np.int64) for one in found], axis=1
    )


def flat_relations(trees: pa.ChunkedArray, relations: Relations = "full") -> pa.Array:
    """Return the relation of each word, tree after tree, whole or without subtype."""
    flat = pc.struct_field(trees.combine_chunks(), "deprels").flatten()
    if relations == "full":
        return flat
    return pc.replace_substring_regex(flat, pattern=":.*$", replacement="")


def list_offsets(lists: pa.ListArray) -> Ints:
    """Return where each list starts among the flattened values, from 0."""
    sizes = np.asarray(pc.fill_null(pc.list_value_length(lists), 0), np.int64)
    return np.concatenate([[0], np.cumsum(sizes)])


def _struct(sentences: pa.Table, names: tuple[str, ...]) -> pa.StructArray:
    present = [name for name in names if name in sentences.column_names]
    columns = [sentences[name].combine_chunks() for name in present]
    return pa.StructArray.from_arrays(columns, names=present)


@dataclass(frozen=True, slots=True, kw_only=True)
class _TreeFault:
    """The first word that keeps its sentence from being a tree.

    Attributes:
        word: Its position among all words.
        reason: What is wrong, as a clause for a message.

    """

    word: int
    reason: str


def first_fault(heads: Ints, offsets: Ints) -> _TreeFault | None:
    """Return the first word that breaks its tree, or `None` where all are trees.

    Args:
        heads: Head of each word within its sentence, 0 for the root; shape
            (n_words,).
        offsets: Sentence `i` is `heads[offsets[i]:offsets[i + 1]]`.

    Examples:
        >>> first_fault(np.array([2, 0, 0, 1]), np.array([0, 2, 4])) is None
        True
        >>> first_fault(np.array([2, 1]), np.array([0, 2])).reason
        'it is part of a cycle or hangs below one'

    """
    size = np.diff(offsets)
    sentence = np.repeat(np.arange(len(size)), size)
    outside = (heads < 0) | (heads > size[sentence])
    if outside.any():
        word = int(np.argmax(outside))
        return _TreeFault(
            word=word,
            reason=f"HEAD {heads[word]} lies outside the sentence of "
            f"{size[sentence[word]]} words",
        )
    return _second_root(heads, sentence, offsets) or _cycle(heads, sentence, offsets)


def are_no_trees(heads: Ints, offsets: Ints) -> Bools:
    """Return which sentences are no tree with one root; shape (n_sentences,).

    Args:
        heads: As for `first_fault`.
        offsets: As for `first_fault`.

    Examples:
        >>> are_no_trees(np.array([2, 0, 0, 0, 3]), np.array([0, 2, 4, 5])).tolist()
        [False, True, True]

    """
    size = np.diff(offsets)
    sentence = np.repeat(np.arange(len(size)), size)
    outside = (heads < 0) | (heads > size[sentence])
    own = np.arange(len(heads)) - offsets[:-1][sentence] + 1
    lost = ~_reaches_root(np.where(outside, own, heads), sentence, offsets)
    roots = np.bincount(sentence[heads == 0], minlength=len(size))
    wrong = np.bincount(sentence[lost], minlength=len(size)) > 0
    return np.asarray(wrong | ((roots != 1) & (size > 0)), np.bool_)


def _second_root(heads: Ints, sentence: Ints, offsets: Ints) -> _TreeFault | None:
    root = heads == 0
    seen = np.cumsum(root)
    before = np.concatenate([[0], seen])[offsets[:-1]]
    second = root & (seen - before[sentence] > 1)
    if second.any():
        return _TreeFault(word=int(np.argmax(second)), reason="it is a second root")
    return None


def _cycle(heads: Ints, sentence: Ints, offsets: Ints) -> _TreeFault | None:
    lost = ~_reaches_root(heads, sentence, offsets)
    if lost.any():
        return _TreeFault(
            word=int(np.argmax(lost)),
            reason="it is part of a cycle or hangs below one",
        )
    return None


def _reaches_root(heads: Ints, sentence: Ints, offsets: Ints) -> Bools:
    n = len(heads)
    above = np.where(heads == 0, n, offsets[:-1][sentence] + heads - 1)
    above = np.append(above, n)
    longest = int(np.diff(offsets).max(initial=1))
    for _ in range(longest.bit_length()):
        above = above[above]
    return np.asarray(above[:n] == n, np.bool_)
