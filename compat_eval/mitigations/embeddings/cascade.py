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
from pydantic import Field

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import DataError, UsageError
from compat_eval.mitigations.embeddings.bridge import Bridged, Bridging
from compat_eval.mitigations.mitigation import Bridge, Cost, MitigationSettings
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.index import NOTHING, Metric, Neighbours
from compat_eval.vectors.space import refuse_other_space
from compat_eval.vectors.vectors import Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cascaded:
    """What a cascade finds, and what that cost.

    Attributes:
        found: The candidates of each query in NEW's order; rows are those of the
            candidates' index.
        embedded: How many different documents were embedded.
        recalled: How many documents were scored, over all queries.

    """

    found: Neighbours
    embedded: int
    recalled: int


def cascade(
    recalled: Neighbours,
    queries: Vectors,
    embed: Callable[[Sequence[str]], Vectors],
    k: int,
    *,
    metric: Metric = "cosine",
) -> _Cascaded:
    """Return the k best of OLD's candidates by NEW's scores.

    Args:
        recalled: OLD's candidates of each query, from its own queries.
        queries: NEW's vectors of the same queries, in the same order.
        embed: Returns NEW's vectors of documents, each asked for once.
        k: How many.
        metric: How alike two of NEW's vectors are.

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
    found = np.full((len(queries), k), NOTHING)
    scores = np.full((len(queries), k), np.nan)
    if len(rows):
        documents = embed(names.to_pylist())
        if not documents.ids.equals(names):
            raise DataError(
                "embedding did not return the documents that were asked for"
            )
        refuse_other_space(queries.space, documents.space, across=False)
        for at, (line, known) in enumerate(zip(recalled.rows, there, strict=True)):
            if not known.any():
                continue
            some = np.searchsorted(rows, line[known])
            query = Vectors(
                ids=queries.ids.slice(at, 1),
                values=queries.values[at : at + 1],
                space=queries.space,
            )
            best = _best(documents, query, some, k=k, metric=metric)
            kept = best.rows[0] != NOTHING
            found[at, : kept.sum()] = rows[some[best.rows[0][kept]]]
            scores[at, : kept.sum()] = best.scores[0][kept]
    return _Cascaded(
        found=Neighbours(rows=found, scores=scores, ids=recalled.ids),
        embedded=len(rows),
        recalled=int(np.count_nonzero(there)),
    )


def _best(
    documents: Vectors, query: Vectors, rows: Ints, *, k: int, metric: Metric
) -> Neighbours:
    """Return the best of some documents for one query."""
    some = Vectors(
        ids=documents.ids.take(pa.array(rows)),
        values=documents.values[rows],
        space=documents.space,
    )
    return ExactIndex.of(some, metric).search(query, k)


class _CascadeSettings(MitigationSettings):
    candidates: int = Field(
        50, ge=1, description="documents that OLD's index recalls for a query"
    )


def _cross(bridging: Bridging, settings: _CascadeSettings) -> Bridged:
    recalled = bridging.search(
        bridging.old_queries, bridging.old_documents, settings.candidates
    )
    found = cascade(
        recalled,
        bridging.new_queries,
        bridging.new_documents,
        min(settings.candidates, bridging.depth),
        metric=bridging.metric,
    )
    return Bridged(
        found=found.found,
        told={
            "documents_embedded": found.embedded,
            "documents_scored": found.recalled,
        },
    )


def _both(settings: _CascadeSettings, _: int) -> Cost:
    return Cost(old_passes=1, new_passes=1, candidates=settings.candidates)


cascade_of_encoders = Bridge(
    name="cascade",
    summary="OLD's index recalls candidates, NEW scores them in its own space; their "
    "documents are embedded on demand",
    needs="OLD and NEW embed (Embeds), and the documents' inputs are there",
    settings=_CascadeSettings,
    cross=_cross,
    cost=_both,
)
