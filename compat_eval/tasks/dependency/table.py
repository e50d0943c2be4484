"""Dependency trees as examples and predictions: which columns hold what."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Ints
from compat_eval.core.examples import Examples
from compat_eval.tasks.dependency.ud_official import COUNTS, Counts

INPUT = (
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
TREE = ("heads", "deprels")
NO_TREE = "no_tree"

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
            "input": _struct(sentences, INPUT),
            "gold": _struct(sentences, TREE),
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


def official_column(counts: Counts) -> pa.StructArray:
    """Return counts of the official scores as one column of structs of structs."""
    scores = {
        name: pa.StructArray.from_arrays(
            [pa.array(column, pa.int32()) for column in table.T], names=list(COUNTS)
        )
        for name, table in counts.items()
    }
    return pa.StructArray.from_arrays(list(scores.values()), names=list(scores))


def official_counts_in(column: pa.ChunkedArray, score: str) -> Ints:
    """Return the counts of one official score, shape (n_examples, 4); 0 for null."""
    found = [pc.struct_field(column, [score, count]) for count in COUNTS]
    return np.stack(
        [np.asarray(pc.fill_null(one, 0), np.int64) for one in found], axis=1
    )


def _struct(sentences: pa.Table, names: tuple[str, ...]) -> pa.StructArray:
    present = [name for name in names if name in sentences.column_names]
    columns = [sentences[name].combine_chunks() for name in present]
    return pa.StructArray.from_arrays(columns, names=present)
