"""hnswlib as an engine: a graph over the vectors, searched approximately.

Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using
Hierarchical Navigable Small World graphs", 2018, https://arxiv.org/abs/1603.09320.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from compat_eval.core.arrays import Ints
from compat_eval.models.packages import package
from compat_eval.vectors.exact_search import ExactIndex, Singles
from compat_eval.vectors.index import NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class HnswEngine:
    """A graph of hnswlib; see `Engine`.

    Attributes:
        index: Of hnswlib.
        links: Links of a vector (M).
        breadth: Vectors that a search keeps in view (ef), at least as many as asked.

    """

    index: Any
    links: int
    breadth: int
    exact: bool = False

    @property
    def name(self) -> str:
        """Its kind and settings."""
        return f"hnswlib (M {self.links}, ef {self.breadth})"

    def nearest(self, queries: Singles, n: int) -> Ints:
        """Return the rows that it finds, and -1 behind them."""
        self.index.set_ef(max(self.breadth, n))
        found = np.full((len(queries), n), NOTHING)
        for line, query in enumerate(queries):
            rows = self._of_one(query, n)
            found[line, : len(rows)] = rows
        return found

    def _of_one(self, query: Singles, n: int) -> Ints:
        """Return as many of n as the graph reaches; it raises where those are fewer."""
        while n:
            try:
                rows, _ = self.index.knn_query(query[None], k=n, num_threads=1)
            except RuntimeError:
                n //= 2
            else:
                return np.asarray(rows[0], np.int64)
        return np.empty(0, np.int64)


def hnsw_engine(
    exact: ExactIndex, *, links: int = 16, breadth: int = 200, seed: int = 0
) -> HnswEngine:
    """Return a graph over vectors, built by one thread and so the same every time.

    Args:
        exact: The vectors.
        links: Links of a vector (M).
        breadth: Vectors in view, when it is built and when it is searched (ef).
        seed: Random seed of the vectors' levels.

    Raises:
        MissingPackageError: hnswlib is not installed.

    """
    hnswlib = package("hnswlib", extra="hnswlib")
    space = "l2" if exact.metric == "l2" else "ip"
    index = hnswlib.Index(space=space, dim=exact.space.dimension)
    index.init_index(
        max_elements=len(exact), M=links, ef_construction=breadth, random_seed=seed
    )
    for start, block in exact.vectors.blocks():
        rows = np.arange(start, start + len(block))
        index.add_items(exact.scaled(block, start), rows, num_threads=1)
    return HnswEngine(index=index, links=links, breadth=breadth)
