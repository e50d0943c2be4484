"""What an index of vectors does, whoever keeps it."""

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import pyarrow as pa

from compat_eval.core.arrays import Ints, Values
from compat_eval.core.protocols import ModelSource, Part
from compat_eval.vectors.space import Space
from compat_eval.vectors.vectors import Vectors

Metric: TypeAlias = Literal["cosine", "dot", "l2"]
"""How alike two vectors are: `l2` is minus their distance, so that more is nearer."""

NOTHING = -1
"""Row of a neighbour that there is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """The nearest vectors of each query, the nearest first.

    Neighbours that score the same stand in the order of their ids.

    Attributes:
        rows: Row of each neighbour in the index, shape (n_queries, k); -1 where the
            index holds fewer.
        scores: Likewise, by the index's metric; nan where there is none.
        ids: Of all vectors of the index, by row.

    """

    rows: Ints
    scores: Values
    ids: pa.StringArray

    def names(self) -> list[list[str]]:
        """Return the ids of each query's neighbours, nearest first."""
        there = self.rows != NOTHING
        flat = self.ids.take(pa.array(self.rows[there])).to_pylist()
        counts = there.sum(axis=1)
        ends = counts.cumsum()
        return [flat[a:b] for a, b in zip(ends - counts, ends, strict=True)]


class VectorIndex(Protocol):
    """Vectors that can be searched."""

    @property
    def space(self) -> Space:
        """Which model its vectors are of."""

    @property
    def metric(self) -> Metric:
        """How alike two vectors are."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of its results should know."""

    def __len__(self) -> int:
        """Return how many vectors it holds."""

    def search(
        self,
        queries: Vectors,
        k: int,
        *,
        without_itself: bool = False,
        across: bool = False,
    ) -> Neighbours:
        """Return the k nearest vectors of each query.

        Args:
            queries: What is searched for.
            k: How many.
            without_itself: Whether the vector with the query's own id is no neighbour
                of it. Whether another has the same label or the same numbers does not
                matter.
            across: Whether the queries may be of another model than the index.

        """


@runtime_checkable
class GivesVectors(ModelSource, Protocol):
    """A side whose vectors exist already: a file, or a store."""

    def given(self, part: Part, ids: pa.StringArray | pa.ChunkedArray) -> Vectors:
        """Return the vectors of queries or documents, in the order of their ids.

        Raises:
            DataError: Some have none.

        """

    def index_of(self, documents: Vectors, metric: Metric) -> VectorIndex:
        """Return an index of documents whose vectors it gave.

        Raises:
            DataError: Vectors are zero, or not finite.

        """

    @property
    def checked_by(self) -> ModelSource | None:
        """A model that should have made the vectors, to embed a sample again."""
