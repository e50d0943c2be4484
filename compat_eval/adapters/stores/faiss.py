"""`faiss:` — index files of FAISS.

An index file is data, no pickle; FAISS itself checks it. Its ids are the texts of the
file `NAME.ids.parquet` beside it (column `id`, as for other vectors), or else the
numbers that it keeps, as an `IndexIDMap` or its own positions. Kinds that give back
their vectors are read: flat, HNSW, IVF and quantised ones, whose vectors are those that
they serve, no longer the ones that were added.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.adapters.options import ModelOptions
from compat_eval.adapters.stores.faiss_engine import FaissEngine
from compat_eval.adapters.stores.reference import StoreReference, parse_store
from compat_eval.adapters.stores.stored import StoredVectors, stored
from compat_eval.core.arrays import Array
from compat_eval.core.errors import ModelError
from compat_eval.core.fingerprint import file_digest
from compat_eval.models.packages import package
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.files import beside, ids_beside
from compat_eval.vectors.index import Metric

_METRICS: dict[int, Metric] = {0: "dot", 1: "l2"}
"""METRIC_INNER_PRODUCT and METRIC_L2 of FAISS."""


def recognises(path: Path) -> bool:
    """Say whether a path is called like a file of FAISS."""
    return Path(str(path).partition("#")[0]).suffix in {".faiss", ".index"}


def open_source(location: str, options: ModelOptions) -> StoredVectors:
    """Read an index file.

    Raises:
        ModelError: It is not there, damaged, of a kind that gives back no vectors, or
            nothing says which model made its vectors.
        MissingPackageError: FAISS is not installed.

    """
    asked = parse_store("faiss", location)
    path = Path(asked.location).expanduser()
    if not path.is_file():
        raise ModelError(f"{asked.text}: no such file: {path}")
    faiss = package("faiss", extra="faiss")
    index = _read(faiss, path, asked)
    inner = faiss.downcast_index(index.index) if hasattr(index, "id_map") else index
    values = _values(inner, asked)
    numbers = (
        faiss.vector_to_array(index.id_map)
        if hasattr(index, "id_map")
        else np.arange(len(values))
    )
    ids, model = ids_beside(path)
    if ids is None:
        ids = pa.array(map(str, numbers.tolist()), pa.string())
    exact = type(inner).__name__.startswith("IndexFlat")
    engine = FaissEngine(index=inner, exact=exact, owner=index)
    return stored(
        asked,
        ids=ids,
        values=values,
        model=model,
        engine=partial(_fitting, engine),
        content=[file_digest(one) for one in (path, beside(path)) if one.is_file()],
        about={"kind": type(inner).__name__},
        options=options,
    )


def _fitting(engine: FaissEngine, exact: ExactIndex) -> FaissEngine | None:
    """Return the engine where it ranks by a metric; dot products of unit vectors do."""
    own = _METRICS.get(engine.index.metric_type)
    unit = own == "dot" and exact.metric == "cosine" and not exact.notes
    return engine if own == exact.metric or unit else None


def _read(faiss: Any, path: Path, asked: StoreReference) -> Any:  # noqa: ANN401
    try:
        return faiss.read_index(str(path))
    except (RuntimeError, MemoryError) as error:  # sizes in a damaged file are absurd
        why = (str(error).strip() or "its sizes are absurd").splitlines()[0]
        raise ModelError(
            f"{asked.text}: no whole index of FAISS ({why:.200}); copy it again"
        ) from error


def _values(index: Any, asked: StoreReference) -> Array:  # noqa: ANN401
    """Return all vectors of an index, by row.

    Raises:
        ModelError: It does not give them back.

    """
    try:
        if hasattr(index, "make_direct_map"):
            index.make_direct_map()
        return np.asarray(index.reconstruct_n(0, index.ntotal), np.float32)
    except (RuntimeError, AttributeError, MemoryError) as error:
        raise ModelError(
            f"{asked.text}: an {type(index).__name__} does not give back its vectors; "
            "give the file of vectors that it was made of, as vectors:FILE"
        ) from error
