"""Indices of vectors in memory, by the name of what searches them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from compat_eval.adapters.stores.faiss_engine import flat_engine
from compat_eval.adapters.stores.hnswlib import hnsw_engine
from compat_eval.core.errors import UsageError
from compat_eval.core.text import nearest
from compat_eval.vectors.engine_index import Engine, EngineIndex
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.index import Metric, VectorIndex
from compat_eval.vectors.vectors import Vectors

EXACT = "exact"

ENGINES: Mapping[str, tuple[str, Callable[[ExactIndex], Engine]]] = MappingProxyType(
    {"faiss": ("faiss-cpu", flat_engine), "hnswlib": ("hnswlib", hnsw_engine)}
)
"""By name: the package that it needs, and what makes it; besides exact search."""


def vector_index(vectors: Vectors, metric: Metric, engine: str = EXACT) -> VectorIndex:
    """Return an index of vectors.

    Args:
        vectors: What is searched.
        metric: How alike two vectors are.
        engine: `exact`, or a name of `ENGINES`.

    Raises:
        UsageError: The engine is unknown.
        DataError: Vectors are zero, or not finite.
        MissingPackageError: The engine's package is not installed.

    """
    exact = ExactIndex.of(vectors, metric)
    if engine == EXACT or not len(vectors):
        return exact
    if engine not in ENGINES:
        known = (EXACT, *ENGINES)
        raise UsageError(
            f"unknown engine {engine!r}{nearest(engine, known)}; known are "
            f"{', '.join(known)}"
        )
    return EngineIndex(scored=exact, engine=ENGINES[engine][1](exact))
