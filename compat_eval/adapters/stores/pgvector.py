"""`pgvector:` — a table of PostgreSQL with pgvector, read and never written.

`pgvector:shop.items#id=sku,vector=embedding,model=minilm-3`. Where the server is, and
who asks, is what libpq takes from the environment (`PGHOST`, `PGUSER`, `PGPASSWORD`, a
service or password file); `host`, `port`, `dbname`, `user` and `service` may stand in
the reference, a password may not. The table is read in one transaction that cannot
write; names are quoted, and only SELECT is said.

A search runs as the server would serve it: where an index of pgvector (HNSW, IVFFlat)
is on the column, it may be approximate.

https://github.com/pgvector/pgvector
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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

_WHERE = ("host", "port", "dbname", "user", "service")
_OPERATORS: dict[Metric, str] = {"cosine": "<=>", "dot": "<#>", "l2": "<->"}
_CLASSES: dict[Metric, str] = {"cosine": "cosine", "dot": "ip", "l2": "l2"}
"""How an operator class of pgvector ends: `vector_cosine_ops`, …"""

_TYPES = (
    "SELECT a.attname::text, t.typname::text FROM pg_attribute a "
    "JOIN pg_type t ON t.oid = a.atttypid "
    "WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped"
)
"""Asks the columns of a table, with their types."""

_SENT: Mapping[str, np.dtype[Any]] = {
    "vector": np.dtype(">f4"),
    "halfvec": np.dtype(">f2"),
}
"""Numbers of a type in its binary form, behind a length of two bytes and two unused."""

_HEAD = 4
_SECONDS = 10
_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _PgvectorEngine:
    """A table that its server searches; see `Engine`.

    Attributes:
        asked: What the user wrote.
        query: Selects the ids of the nearest vectors, given one and their number.
        rows: Of each id in the index.
        exact: Whether no index of pgvector serves the query.

    """

    asked: StoreReference
    query: Any
    rows: Mapping[str, int]
    exact: bool
    name: str = "pgvector"

    def nearest(self, queries: Singles, n: int) -> Ints:
        """Return the rows that it finds.

        Raises:
            ModelError: The server does not answer, or has other rows by now.

        """
        found = np.full((len(queries), n), NOTHING)
        with _connected(self.asked) as connection:
            for line, query in enumerate(queries):
                text = "[" + ",".join(map(repr, query.tolist())) + "]"
                names = connection.execute(self.query, (text, n)).fetchall()
                rows = [self.rows.get(name, NOTHING) for (name,) in names]
                if NOTHING in rows:
                    raise ModelError(f"{self.asked.text}: changed since it was read")
                found[line, : len(names)] = rows
        return found


def recognises(path: Path) -> bool:  # noqa: ARG001 - a table is no path
    """Say no: a table is no path."""
    return False


def open_source(location: str, options: ModelOptions) -> StoredVectors:
    """Read a table of vectors.

    Raises:
        ModelError: The server does not answer, has no such table or columns, or nothing
            says which model made the vectors.
        DataError: Rows have no vectors, or the table is empty.
        MissingPackageError: psycopg is not installed.

    """
    table = location.partition("#")[0]
    if not table or "/" in table or "@" in table:  # a URL may hold a password
        raise ModelError(
            "pgvector: expected a table, as in pgvector:schema.table; where the server "
            "is stands in PGHOST, PGUSER, PGPASSWORD and the like"
        )
    asked = parse_store("pgvector", location, "id", "vector", "model_column", *_WHERE)
    with _connected(asked) as connection:
        return _table(connection, asked, options)


@contextmanager
def _connected(asked: StoreReference) -> Iterator[Any]:
    """Yield a connection in one transaction that only reads.

    Raises:
        ModelError: The server cannot be reached, or refuses what is asked.

    """
    psycopg = package("psycopg", extra="pgvector")
    given = {key: asked.get(key) for key in _WHERE if asked.get(key)}
    try:
        with psycopg.connect(
            connect_timeout=_SECONDS,
            application_name="compat-eval",
            client_encoding="utf8",
            options="-c default_transaction_read_only=on",
            **given,
        ) as connection:
            connection.read_only = True
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            yield connection
    except psycopg.Error as error:
        why = " ".join(str(error).split())
        raise ModelError(f"{asked.text}: PostgreSQL says: {why:.300}") from error


def _table(
    connection: Any,  # noqa: ANN401
    asked: StoreReference,
    options: ModelOptions,
) -> StoredVectors:
    sql = package("psycopg.sql", extra="pgvector")
    table = sql.Identifier(*asked.location.split("."))
    number, names, kind = _columns(connection, asked)
    columns = {key: sql.Identifier(name) for key, name in names.items()}
    ids, values = _read(connection, table, columns, kind=kind, asked=asked)
    model = None
    if "model" in columns:
        query = sql.SQL("SELECT {}::text, count(*) FROM {} GROUP BY 1")
        told = connection.execute(query.format(columns["model"], table)).fetchall()
        counted = (name for name, count in told for _ in range(count))
        model = one_model(counted, shown=asked.text)
    rows = {name: row for row, name in enumerate(ids)}
    served = _served(connection, number, names["vector"])

    def engine(exact: ExactIndex) -> _PgvectorEngine:
        query = sql.SQL(
            "SELECT {}::text FROM {} ORDER BY {} {} %s::{} LIMIT %s"
        ).format(
            columns["id"],
            table,
            columns["vector"],
            sql.SQL(_OPERATORS[exact.metric]),
            sql.SQL(kind),
        )
        approximate = [
            c for c in served if c.endswith(f"_{_CLASSES[exact.metric]}_ops")
        ]
        return _PgvectorEngine(
            asked=asked, query=query, rows=rows, exact=not approximate
        )

    return stored(
        asked,
        ids=pa.array(ids, pa.string()),
        values=values,
        model=model,
        engine=engine,
        content=[digest(ids), hashlib.sha256(values.tobytes()).hexdigest()],
        about={"table": asked.location, "columns": names, "served_by": sorted(served)},
        options=options,
    )


def _columns(
    connection: Any,  # noqa: ANN401
    asked: StoreReference,
) -> tuple[int, dict[str, str], str]:
    """Return the table's number, its columns by use, and the type of its vectors.

    Raises:
        ModelError: There is no such table, or it has no such columns.

    """
    quoted = ".".join(
        '"' + part.replace('"', '""') + '"' for part in asked.location.split(".")
    )
    (number,) = connection.execute("SELECT to_regclass(%s)::oid", (quoted,)).fetchone()
    if number is None:
        raise ModelError(
            f"{asked.text}: there is no table {asked.location}, or it may not be read"
        )
    there = dict(connection.execute(_TYPES, (number,)).fetchall())
    vectors = [name for name, kind in there.items() if kind in _SENT]
    names = {
        "id": asked.get("id", "id"),
        "vector": asked.get("vector") or (vectors[0] if len(vectors) == 1 else ""),
    }
    if asked.get("model_column"):
        names["model"] = asked.get("model_column")
    for key, name in names.items():
        if name not in there:
            raise ModelError(
                f"{asked.text}: the table has no column {name!r} for the {key}; it has "
                f"{some(f'{n} ({k})' for n, k in there.items())}. Write #{key}=COLUMN"
            )
    if there[names["vector"]] not in _SENT:
        raise ModelError(
            f"{asked.text}: column {names['vector']} is {there[names['vector']]}; "
            f"expected {' or '.join(_SENT)}"
        )
    return number, names, there[names["vector"]]


def _read(
    connection: Any,  # noqa: ANN401
    table: Any,  # noqa: ANN401
    columns: Mapping[str, Any],
    *,
    kind: str,
    asked: StoreReference,
) -> tuple[list[str], Array]:
    """Return ids and vectors, by id, some thousand rows at a time.

    Raises:
        DataError: A row has no vector, vectors have different lengths, or there are
            none.

    """
    sql = package("psycopg.sql", extra="pgvector")
    query = sql.SQL("SELECT {}::text, {}({}) FROM {} ORDER BY 1").format(
        columns["id"], sql.SQL(f"{kind}_send"), columns["vector"], table
    )
    ids: list[str] = []
    parts: list[Array] = []
    widths: set[int] = set()
    with connection.cursor("vectors", binary=True) as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(query)
        while some_rows := cursor.fetchmany(_AT_ONCE):
            empty = [name for name, sent in some_rows if name is None or sent is None]
            if empty:
                raise DataError(
                    f"{asked.text}: rows have no id or no vector ({some(empty)}); give "
                    "a view that leaves them out"
                )
            widths |= {len(sent) for _, sent in some_rows}
            if len(widths) > 1:
                raise DataError(f"{asked.text}: vectors have different lengths")
            ids += [name for name, _ in some_rows]
            sent = np.frombuffer(b"".join(s[_HEAD:] for _, s in some_rows), _SENT[kind])
            parts.append(sent.reshape(len(some_rows), -1).astype(np.float32))
    if not ids:
        raise DataError(f"{asked.text}: the table is empty")
    return ids, np.concatenate(parts)


def _served(connection: Any, number: int, column: str) -> list[str]:  # noqa: ANN401
    """Return the operator classes of pgvector's indices on a column."""
    found = connection.execute(
        "SELECT o.opcname::text FROM pg_index i "
        "JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam "
        "JOIN pg_opclass o ON o.oid = i.indclass[0] "
        "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
        "WHERE i.indrelid = %s AND a.attname = %s AND m.amname IN ('hnsw', 'ivfflat')",
        (number, column),
    ).fetchall()
    return [name for (name,) in found]
