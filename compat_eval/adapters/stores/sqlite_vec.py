"""`sqlite-vec:` — vectors in an SQLite file, as sqlite-vec keeps them.

`sqlite-vec:FILE#table=docs,id=doc,vector=embedding`: a virtual table `vec0`, or a plain
one with vectors of float32 as blobs. The file is opened read-only, and only SELECT is
said. Distances are sqlite-vec's own, of every row. The extension is loaded through
apsw, since in many builds of Python sqlite3 loads none.

https://alexgarcia.xyz/sqlite-vec/
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.adapters.options import ModelOptions
from compat_eval.adapters.stores.reference import StoreReference, parse_store
from compat_eval.adapters.stores.stored import StoredVectors, stored
from compat_eval.core.arrays import Array, Ints
from compat_eval.core.errors import DataError, ModelError, some
from compat_eval.core.fingerprint import digest
from compat_eval.models.packages import package
from compat_eval.vectors.exact_search import ExactIndex, Singles
from compat_eval.vectors.index import NOTHING, Metric
from compat_eval.vectors.space import one_model

_DISTANCES: dict[Metric, str] = {
    "cosine": "vec_distance_cosine",
    "l2": "vec_distance_L2",
}
_USUAL = ("embedding", "vector")
_SINGLE = np.dtype("<f4")


@dataclass(frozen=True, slots=True, kw_only=True)
class _SqliteEngine:
    """A table that is searched row by row; see `Engine`.

    Attributes:
        path: The file.
        query: Selects the ids of the nearest vectors, given one and their number.
        rows: Of each id in the index.

    """

    path: Path
    query: str
    rows: Mapping[str, int]
    name: str = "sqlite-vec"
    exact: bool = True

    def nearest(self, queries: Singles, n: int) -> Ints:
        """Return the rows that it finds."""
        found = np.full((len(queries), n), NOTHING)
        with closing(_connected(self.path)) as connection:
            for line, query in enumerate(queries):
                given = (query.astype(_SINGLE).tobytes(), n)
                names = [str(one) for (one,) in connection.execute(self.query, given)]
                rows = [self.rows.get(name, NOTHING) for name in names]
                if NOTHING in rows:
                    raise ModelError(f"{self.path}: changed since it was read")
                found[line, : len(names)] = rows
        return found


def recognises(path: Path) -> bool:  # noqa: ARG001 - an SQLite file may hold anything
    """Say no: an SQLite file may hold anything."""
    return False


def open_source(location: str, options: ModelOptions) -> StoredVectors:
    """Read a table of vectors.

    Raises:
        ModelError: There is no such file or table, it has no such columns, or nothing
            says which model made its vectors.
        DataError: Rows have no vectors, or vectors of different lengths.
        MissingPackageError: sqlite-vec is not installed.

    """
    asked = parse_store("sqlite-vec", location, "table", "id", "vector", "model_column")
    path = Path(asked.location).expanduser()
    if not path.is_file():
        raise ModelError(f"{asked.text}: no such file: {path}")
    apsw = package("apsw", extra="sqlite-vec")
    try:
        with closing(_connected(path)) as connection:
            table, names = _columns(connection, asked)
            id_, vector = (_quoted(names[key]) for key in ("id", "vector"))
            source = f"FROM {_quoted(table)}"
            query = f"SELECT {id_}, {vector} {source} ORDER BY {id_}"
            found = connection.execute(query).fetchall()
            model = _model(connection, asked, names, source)
    except apsw.Error as error:
        raise ModelError(f"{asked.text}: cannot be read: {error}") from error
    ids = [str(one) for one, _ in found]
    values = _values(ids, [blob for _, blob in found], asked)
    rows = {name: row for row, name in enumerate(ids)}

    def engine(exact: ExactIndex) -> _SqliteEngine | None:
        if exact.metric not in _DISTANCES:
            return None
        distance = f"{_DISTANCES[exact.metric]}({vector}, ?)"
        query = f"SELECT {id_} {source} ORDER BY {distance} LIMIT ?"
        return _SqliteEngine(path=path, query=query, rows=rows)

    return stored(
        asked,
        ids=pa.array(ids, pa.string()),
        values=values,
        model=model,
        engine=engine,
        content=[digest(ids), hashlib.sha256(values.tobytes()).hexdigest()],
        about={"table": table, "columns": names},
        options=options,
    )


def _connected(path: Path) -> Any:  # noqa: ANN401
    """Open a file that cannot be written, with the functions of sqlite-vec."""
    apsw = package("apsw", extra="sqlite-vec")
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.enable_load_extension(True)  # noqa: FBT003
    package("sqlite_vec", extra="sqlite-vec").load(connection)
    connection.enable_load_extension(False)  # noqa: FBT003
    return connection


def _columns(
    connection: Any,  # noqa: ANN401
    asked: StoreReference,
) -> tuple[str, dict[str, str]]:
    """Return the table, and what its columns of ids and vectors are called.

    Raises:
        ModelError: There is none of that name, or several could be meant.

    """
    tables = [
        str(name)
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master "
            "WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
    ]
    # What sqlite-vec keeps behind a table of its own begins with that one's name.
    shown = [n for n in tables if not any(n.startswith(f"{m}_") for m in tables)]
    table = asked.get("table") or (shown[0] if len(shown) == 1 else "")
    if table not in tables:
        raise ModelError(
            f"{asked.text}: name the table, as in #table=NAME; there are {some(shown)}"
        )
    info = connection.execute(f"PRAGMA table_info({_quoted(table)})")
    there = [str(row[1]) for row in info]
    usual = [name for name in _USUAL if name in there]
    vector = asked.get("vector") or next(iter(usual), "")
    id_ = asked.get("id") or ("id" if "id" in there else "rowid")
    names = {"id": id_, "vector": vector}
    if asked.get("model_column"):
        names["model"] = asked.get("model_column")
    for key, name in names.items():
        if name not in there and not (key == "id" and name == "rowid"):
            raise ModelError(
                f"{asked.text}: table {table} has no column {name!r} for the {key}; it "
                f"has {some(there)}. Write #{key}=COLUMN"
            )
    return table, names


def _model(
    connection: Any,  # noqa: ANN401
    asked: StoreReference,
    names: Mapping[str, str],
    source: str,
) -> str | None:
    """Return the model that a column names for all rows."""
    if "model" not in names:
        return None
    column = _quoted(names["model"])
    told = connection.execute(f"SELECT {column} {source}").fetchall()
    return one_model((one and str(one) for (one,) in told), shown=asked.text)


def _values(
    ids: Sequence[str], blobs: Sequence[object], asked: StoreReference
) -> Array:
    """Return vectors of float32, one an id.

    Raises:
        DataError: Some are none, or have another length.

    """
    odd = [name for name, one in zip(ids, blobs, strict=True) if not _is_vector(one)]
    sizes = {len(one) for one in blobs if isinstance(one, bytes)}
    if odd or len(sizes) != 1:
        told = f"{len(odd)} rows have none ({some(odd)})" if odd else "they differ"
        raise DataError(
            f"{asked.text}: expected in every row a vector of float32, as a blob and "
            f"of one length; {told if blobs else 'the table is empty'}"
        )
    flat = np.frombuffer(b"".join(map(bytes, blobs)), _SINGLE)  # type: ignore[arg-type]
    return np.asarray(flat.reshape(len(ids), -1))


def _is_vector(value: object) -> bool:
    return isinstance(value, bytes) and bool(value) and not len(value) % 4


def _quoted(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
