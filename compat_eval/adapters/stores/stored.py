"""Vectors that exist already, as a side: given by id, never computed.

Who made them must be said, by the store or by the reference: vectors of an unknown
model, or of several, cannot be compared with any others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa

from compat_eval.adapters import ADAPTERS
from compat_eval.adapters.options import ModelOptions
from compat_eval.adapters.stores.engines import ENGINES, EXACT, vector_index
from compat_eval.adapters.stores.reference import StoreReference
from compat_eval.core.arrays import Array
from compat_eval.core.errors import CapabilityError, DataError, ModelError
from compat_eval.core.fingerprint import file_digest, library_versions
from compat_eval.core.protocols import ModelSource, Part
from compat_eval.vectors.engine_index import Engine, EngineIndex
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.files import named_model, read_vectors
from compat_eval.vectors.index import Metric, VectorIndex
from compat_eval.vectors.space import Space
from compat_eval.vectors.vectors import Vectors

SERVED = "served"
"""The store's own search."""

FindsEngine: TypeAlias = Callable[[ExactIndex], Engine | None]
"""Returns what searches the store's vectors by a metric; `None` where nothing does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVectors:
    """Vectors in a store; a `ModelSource` and `GivesVectors`.

    Attributes:
        reference: What the user wrote.
        held: The vectors that it holds.
        queries: Vectors of queries that stand elsewhere; `None` where it holds all.
        engine: What searches there by a metric; `None` where nothing does.
        content: What tells these vectors from others, JSON-ready.
        about: What else the store says, JSON-ready.
        options: How it was opened.
        search: What searches: `exact`, a name of `ENGINES`, or `served` for the store.
        checked_by: A model that embeds a sample again; `None` for none.

    """

    reference: str
    held: Vectors
    queries: Vectors | None
    engine: FindsEngine
    content: Sequence[Any]
    about: dict[str, Any]
    options: ModelOptions
    search: str = EXACT
    checked_by: ModelSource | None = None

    def fingerprint(self) -> str:
        """Return a SHA-256 of the vectors and of the name of their model."""
        return self.options.fingerprint(
            "stored-vectors",
            1,
            list(self.content),
            self.held.space.to_dict(),
            *([] if self.search == EXACT else [self.search]),
        )

    def describe(self) -> dict[str, Any]:
        """Return JSON-ready provenance."""
        return self.options.description(
            format=self.reference.partition(":")[0],
            labels=None,
            gives="vectors",
            space=self.held.space.to_dict(),
            n_vectors=len(self.held),
            search=self.search,
            **self.about,
            libraries=library_versions("numpy", "pyarrow"),
        )

    def load(self) -> "VectorsAlone":
        """Return what refuses to answer: nothing is computed."""
        return VectorsAlone(self.reference)

    def given(self, part: Part, ids: pa.StringArray | pa.ChunkedArray) -> Vectors:
        """Return the vectors of queries or documents, in the order of their ids.

        Raises:
            DataError: Some have none.

        """
        there = self.held
        if part == "query" and self.queries is not None:
            there = self.queries
        return there.of_ids(ids, shown=f"{self.reference}: {part} vectors")

    def index(self, metric: Metric) -> VectorIndex:
        """Return an index of its vectors: the store's own, where it can be asked so.

        Raises:
            DataError: Vectors are zero, or not finite.

        """
        exact = ExactIndex.of(self.held, metric)
        engine = self.engine(exact)
        return exact if engine is None else EngineIndex(scored=exact, engine=engine)

    def index_of(self, documents: Vectors, metric: Metric) -> VectorIndex:
        """Return what is asked for documents, as the reference says.

        Args:
            documents: Vectors that the store has.
            metric: How alike two vectors are.

        Raises:
            DataError: Vectors are zero, or not finite, or the store holds others too.
            ModelError: The store does not search by this metric.
            MissingPackageError: The engine's package is not installed.

        """
        if self.search != SERVED:
            return vector_index(documents, metric, self.search)
        if more := len(self.held) - len(documents):
            raise DataError(
                f"{self.reference}: holds {more} vectors besides those of documents, "
                "which its own search would find; give a table of the documents alone, "
                "or leave search=served out"
            )
        index = self.index(metric)
        if isinstance(index, ExactIndex):
            raise ModelError(
                f"{self.reference}: does not search by {metric}; leave "
                "search=served out"
            )
        return index


@dataclass(frozen=True, slots=True)
class VectorsAlone:
    """A model in form only; see `Predicts`.

    Attributes:
        reference: What the user wrote.

    """

    reference: str

    def predict(self, items: Sequence[Any]) -> pa.Table:
        """Refuse.

        Raises:
            CapabilityError: Always.

        """
        raise CapabilityError(
            f"{self.reference} holds vectors by id and reads no inputs; it can be a "
            "side of a suite whose queries and documents have these ids"
        )


def stored(
    asked: StoreReference,
    *,
    ids: pa.StringArray,
    values: Array,
    model: str | None,
    engine: FindsEngine,
    content: Sequence[Any],
    about: dict[str, Any],
    options: ModelOptions,
) -> StoredVectors:
    """Return what a store holds, once it is known who made it.

    Args:
        asked: What the user wrote.
        ids: Of the vectors.
        values: Shape (n, dimension).
        model: What the store says of who made them.
        engine: What searches there.
        content: What tells these vectors from others.
        about: What else the store says.
        options: How it is opened.

    Raises:
        ModelError: Nothing says which model made them, or two names are given.
        DataError: The vectors are no vectors, or the file of queries cannot be read.

    """
    search = _search_of(asked)
    checked_by = _opened(asked, options)
    said = asked.get("model")
    if model and said and model != said:
        raise ModelError(f"{asked.text}: its vectors are of {model}, not of {said}")
    name = model or said or _named_by(asked, checked_by)
    if not name:
        raise ModelError(
            f"{asked.text}: nothing says which model made these vectors, and those of "
            "an unknown model cannot be compared with any others. Where you know it, "
            f"write {asked.text}{',' if asked.settings else '#'}model=NAME"
        )
    space = Space(model=name, dimension=values.shape[1], normalised=False)
    held = Vectors(ids=ids, values=values, space=space)
    queries, digests = _queries(asked, space)
    return StoredVectors(
        reference=asked.text,
        held=held,
        queries=queries,
        engine=engine,
        content=[*content, *digests],
        about=about,
        options=options,
        search=search,
        checked_by=checked_by,
    )


def _search_of(asked: StoreReference) -> str:
    """Return how is searched: exactly, by the store's engine, or by one of ours."""
    known = (EXACT, SERVED, *ENGINES)
    search = asked.get("search", EXACT)
    if search not in known:
        raise ModelError(
            f"{asked.text}: search={search} is unknown; expected any of "
            f"{', '.join(known)}"
        )
    return search


def _opened(asked: StoreReference, options: ModelOptions) -> ModelSource | None:
    """Open the model that checks a sample, without loading it.

    Raises:
        ModelError: It cannot be opened, or is none that computes.

    """
    if not (named := asked.get("check")):
        return None
    scheme, _, location = named.partition(":")
    if scheme not in ADAPTERS.names():
        raise ModelError(
            f"{asked.text}: check={named} names no model; write it with its scheme, as "
            "in check=st:models/encoder"
        )
    source: ModelSource = ADAPTERS.load(scheme)(location, options)
    if isinstance(source, StoredVectors):
        raise ModelError(f"{asked.text}: check={named} computes nothing")
    return source


def _named_by(asked: StoreReference, checked_by: ModelSource | None) -> str:
    """Return a name where a model checks the vectors: that of the queries, or its own.

    Where nothing checks them, who made the queries says nothing of the documents.
    """
    if checked_by is None:
        return ""
    path = Path(asked.get("queries")).expanduser()
    known = named_model(path) if asked.get("queries") else None
    return known or checked_by.fingerprint()


def _queries(asked: StoreReference, space: Space) -> tuple[Vectors | None, list[str]]:
    """Return the vectors of queries that stand in a file, and its digest."""
    if not (named := asked.get("queries")):
        return None, []
    path = Path(named).expanduser()
    queries = read_vectors(path, model=space.model, asked_by=asked.text)
    if queries.space.dimension != space.dimension:
        raise DataError(
            f"{asked.text}: queries have {queries.space.dimension} dimensions, and the "
            f"index {space.dimension}"
        )
    return queries, [file_digest(path)]
