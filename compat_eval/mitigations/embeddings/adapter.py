"""What an adapter of vectors is: a map from one model's space to another's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from compat_eval.core.arrays import Rows
from compat_eval.core.errors import DataError, UsageError, some
from compat_eval.mitigations.embeddings.pairs import VectorPairs, refuse_leakage
from compat_eval.vectors.space import Space
from compat_eval.vectors.vectors import Vectors


class VectorMap(Protocol):
    """A fitted map of rows of numbers."""

    def __call__(self, rows: Rows) -> Rows:
        """Map vectors, shape (n, d_source) to (n, d_target)."""


class FitsMap(Protocol):
    """A way to fit a map on pairs."""

    def __call__(self, source: Rows, target: Rows) -> VectorMap:
        """Fit a map that leads from rows of `source` to those of `target`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceAdapter:
    """A map that leads from one model's space to another's, and only there.

    Attributes:
        source: The space that it takes vectors from.
        target: The space that it gives vectors in.
        map: Of the vectors.
        seen: Digests of the inputs that it was fitted on.

    """

    source: Space
    target: Space
    map: VectorMap
    seen: frozenset[str]

    def __call__(self, vectors: Vectors) -> Vectors:
        """Return vectors in the target space, of length 1 where that demands it.

        Raises:
            UsageError: They are of another space than the source, such as those that
                it leads to.

        """
        given = vectors.space
        if (given.model, given.dimension) != (self.source.model, self.source.dimension):
            turned = given.model == self.target.model
            raise UsageError(
                f"the adapter leads from {self.source.model} to {self.target.model}, "
                f"and these vectors are of {given.model}"
                + ("; fit one in the other direction" if turned else "")
            )
        rows = self.map(np.asarray(vectors.values, np.float64))
        if self.target.normalised:
            rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return Vectors(ids=vectors.ids, values=rows, space=self.target)

    def evaluated(self, vectors: Vectors, inputs: Mapping[str, str]) -> Vectors:
        """Return vectors in the target space that it is judged with.

        Args:
            vectors: Of queries, or of documents.
            inputs: What was embedded, by id.

        Raises:
            DataError: It was fitted on some of them, or an input is not there.
            UsageError: They are of another space than the source.

        """
        ids = vectors.ids.to_pylist()
        if lacking := [one for one in ids if one not in inputs]:
            raise DataError(
                f"{len(lacking)} vectors have no input ({some(lacking)}), so nothing "
                "shows that the adapter was not fitted on them"
            )
        refuse_leakage(self.seen, ((one, inputs[one]) for one in ids))
        return self(vectors)


def fit_adapter(pairs: VectorPairs, fit: FitsMap) -> SpaceAdapter:
    """Return an adapter from the pairs' source to their target.

    The other direction is fitted on pairs whose sides are exchanged: a least-squares
    map is not the inverse of its counterpart.
    """
    return SpaceAdapter(
        source=pairs.source_space,
        target=pairs.target_space,
        map=fit(pairs.source, pairs.target),
        seen=pairs.seen,
    )
