"""Which documents answer a query: from judgements in files, or from labels.

Label match: a document is relevant to a query of its label. A query that is a document
itself is not relevant to itself; it is told by its id, whatever else has its label or
its content.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import DataError, some
from compat_eval.core.examples import LABEL, Examples
from compat_eval.core.table import positions

_LISTED = 10


def judged_by_file(queries: Examples, judgements: pa.Table, *, shown: str) -> Examples:
    """Return the queries that are judged, with their judgements as gold.

    Args:
        queries: Of a split, judged or not.
        judgements: Columns `id` (the query) and `gold`.
        shown: What messages call the judgements.

    Raises:
        DataError: A query is judged that is not there, or twice, or none is.

    """
    judged = judgements["id"]
    unknown = judged.filter(pa.array(positions(judged, queries.ids) < 0)).to_pylist()
    if unknown:
        raise DataError(
            f"{shown}: {len(unknown)} of {len(judged)} judged queries are not among "
            f"the {len(queries)} queries ({some(unknown)}). Both files must call "
            "queries the same; where judgements number them by their place in the "
            "file, `fields: {id: position}` of format trec does"
        )
    rows = positions(queries.ids, judged)
    if not (rows >= 0).any():
        raise DataError(f"{shown}: no query is judged")
    gold = judgements["gold"].take(pa.array(rows[rows >= 0]))
    return queries.take(rows >= 0).with_column("gold", gold)


def judged_by_label(queries: Examples, documents: Examples, *, same: bool) -> Examples:
    """Return queries whose gold are the documents of their label.

    Args:
        queries: With labels as `gold`; these go to the column `label`.
        documents: Likewise.
        same: Whether the documents are the queries, so that none is relevant to itself.

    """
    labels = documents.column("gold").combine_chunks().dictionary_encode()
    codes = np.asarray(labels.indices, np.int64)
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(labels.dictionary)))
    asked = positions(
        queries.column("gold"), pa.chunked_array([labels.dictionary.cast(pa.string())])
    )
    own = positions(queries.ids, documents.ids) if same else np.full(len(queries), -1)
    found = [_members(order, ends, code) for code in asked]
    found = [rows[rows != at] for rows, at in zip(found, own, strict=True)]
    flat = np.concatenate([np.zeros(0, np.int64), *found])
    names = documents.ids.take(pa.array(flat)).combine_chunks()
    pairs = pa.StructArray.from_arrays(
        [names.cast(pa.string()), pa.array(np.ones(len(flat), np.int64))],
        names=["document", "relevance"],
    )
    offsets = np.concatenate([[0], np.cumsum([len(rows) for rows in found])])
    gold = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pairs)
    of_label = queries.with_column(LABEL, queries.column("gold"))
    return of_label.with_column("gold", pa.chunked_array([gold]))


def _members(order: Ints, ends: Ints, code: int) -> Ints:
    if code < 0:
        return np.zeros(0, np.int64)
    return order[ends[code - 1] if code else 0 : ends[code]]


def refuse_unknown_documents(
    examples: Examples, documents: Examples, *, shown: str
) -> None:
    """Raise where judgements name documents that are not there.

    Raises:
        DataError: They do; the message lists them with their queries.

    """
    gold = examples.column("gold").combine_chunks()
    names = gold.flatten().field("document")
    unknown = np.flatnonzero(
        positions(pa.chunked_array([names.cast(pa.string())]), documents.ids) < 0
    )
    if not len(unknown):
        return
    owners = np.asarray(pc.list_parent_indices(gold))[unknown]
    pairs = [
        f"{name} of query {query}"
        for name, query in zip(
            names.take(pa.array(unknown[:_LISTED])).to_pylist(),
            examples.ids.take(pa.array(owners[:_LISTED])).to_pylist(),
            strict=True,
        )
    ]
    raise DataError(
        f"{shown}: {len(unknown)} judged documents are not among the "
        f"{len(documents)} of the corpus ({some(pairs)}), so that nobody could find "
        "them. Correct the ids (corpus.fields.id), or leave these judgements out"
    )
