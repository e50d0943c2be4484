"""FAISS as an engine: its indices, made of vectors or read from files.

Johnson, Douze and Jégou, "Billion-scale similarity search with GPUs", 2017,
https://arxiv.org/abs/1702.08734.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from compat_eval.core.arrays import Ints
from compat_eval.models.packages import package
from compat_eval.vectors.exact_search import ExactIndex, Singles


@dataclass(frozen=True, slots=True, kw_only=True)
class FaissEngine:
    """An index of FAISS that is searched; see `Engine`.

    Attributes:
        index: Of FAISS, over rows.
        exact: Whether it compares every vector as it is.
        owner: What the index is a part of, and is freed with.

    """

    index: Any
    exact: bool
    owner: Any = None

    @property
    def name(self) -> str:
        """Its class."""
        return f"faiss {type(self.index).__name__}"

    def nearest(self, queries: Singles, n: int) -> Ints:
        """Return the rows that it finds."""
        _, rows = self.index.search(np.ascontiguousarray(queries), n)
        return np.asarray(rows, np.int64)


def flat_engine(exact: ExactIndex) -> FaissEngine:
    """Return an `IndexFlat` that holds vectors, of length 1 where the metric is cosine.

    Raises:
        MissingPackageError: FAISS is not installed.

    """
    faiss = package("faiss", extra="faiss")
    of = faiss.IndexFlatL2 if exact.metric == "l2" else faiss.IndexFlatIP
    index = of(exact.space.dimension)
    for start, block in exact.vectors.blocks():
        index.add(np.ascontiguousarray(exact.scaled(block, start)))
    return FaissEngine(index=index, exact=True)
