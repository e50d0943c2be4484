"""A cascade: OLD's index recalls candidates, NEW scores them in its own space.

NEW embeds the candidates on demand, so what is found costs documents and not an index:
how many had to be embedded is told. Nothing that OLD does not recall can be found.
Nogueira and Cho, "Passage Re-ranking with BERT", 2019,
https://arxiv.org/abs/1901.04085 (recall, then score again).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import DataError, UsageError
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.index import NOTHING, Neighbours
from compat_eval.vectors.space import refuse_other_space
from compat_eval.vectors.vectors import Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascaded:
    """What a cascade finds, and what that cost.

    Attributes:
        rankings: Names of documents of each query, the best first.
        embedded: How many different documents were embedded.
        recalled: How many documents were scored, over all queries.

    """

    rankings: list[list[str]]
    embedded: int
    recalled: int


def cascade(
    recalled: Neighbours,
    queries: Vectors,
    embed: Callable[[Sequence[str]], Vectors],
    k: int,
) -> Cascaded:
    """Return the k best of OLD's candidates by NEW's cosine.

    Args:
        recalled: OLD's candidates of each query, from its own queries.
        queries: NEW's vectors of the same queries, in the same order.
        embed: Returns NEW's vectors of documents, each asked for once.
        k: How many.

    Raises:
        UsageError: k is below 1, or numbers of queries differ.
        DataError: Vectors are zero or not finite, or of another space than the queries.

    """
    if k < 1 or len(queries) != len(recalled.rows):
        raise UsageError(
            f"a cascade needs k ≥ 1 (got {k}) and candidates of every query (got "
            f"{len(recalled.rows)} of {len(queries)})"
        )
    there = recalled.rows != NOTHING
    rows = np.unique(recalled.rows[there])
    names = recalled.ids.take(pa.array(rows))
    if not len(rows):
        return Cascaded(rankings=[[] for _ in recalled.rows], embedded=0, recalled=0)
    documents = embed(names.to_pylist())
    if not documents.ids.equals(names):
        raise DataError("embedding did not return the documents that were asked for")
    refuse_other_space(queries.space, documents.space, across=False)
    rankings = [
        _best(documents, queries, at, np.searchsorted(rows, found[known]), k)
        for at, (found, known) in enumerate(zip(recalled.rows, there, strict=True))
    ]
    return Cascaded(
        rankings=rankings, embedded=len(rows), recalled=int(np.count_nonzero(there))
    )


def _best(
    documents: Vectors, queries: Vectors, at: int, rows: Ints, k: int
) -> list[str]:
    """Return the best of some documents for one query."""
    if not len(rows):
        return []
    some = Vectors(
        ids=documents.ids.take(pa.array(rows)),
        values=documents.values[rows],
        space=documents.space,
    )
    query = Vectors(
        ids=queries.ids.slice(at, 1),
        values=queries.values[at : at + 1],
        space=queries.space,
    )
    return ExactIndex.of(some).search(query, k).names()[0]
