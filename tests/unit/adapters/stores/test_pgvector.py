"""Tables of a real PostgreSQL: read whole, searched as served, never written."""

import json
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compat_eval.adapters.options import ModelOptions
from compat_eval.adapters.stores.pgvector import open_source
from compat_eval.adapters.stores.stored import StoredVectors
from compat_eval.core.errors import DataError, ModelError
from compat_eval.testing import check_index
from compat_eval.vectors.engine_index import EngineIndex, recall
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.index import Metric, VectorIndex
from compat_eval.vectors.vectors import Vectors

pytestmark = pytest.mark.usefixtures("database")
ROWS = np.random.default_rng(0).normal(size=(200, 8)).astype(np.float32)
_number = count()


def written(vectors: Vectors, *, kind: str = "vector", more: str = "") -> str:
    """Write a table; return its name."""
    psycopg = pytest.importorskip("psycopg")
    name = f"items_{next(_number)}"
    width = vectors.space.dimension
    with psycopg.connect(autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        connection.execute(
            f"CREATE TABLE {name} (id text PRIMARY KEY, embedding {kind}({width}))"
        )
        with connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {name} VALUES (%s, %s::{kind})",  # noqa: S608 - made here
                [
                    (one, json.dumps(row))
                    for one, row in zip(
                        vectors.ids.to_pylist(), vectors.values.tolist(), strict=True
                    )
                ],
            )
        for statement in filter(None, more.split(";")):
            connection.execute(statement.format(table=name))
    return name


def of(rows: Any, model: str = "m1") -> Vectors:
    ids = [f"d{n:03}" for n in range(len(rows))]
    return Vectors.of(ids, np.asarray(rows), model=model, normalised=False)


def opened(name: str, settings: str = "model=m1") -> StoredVectors:
    return open_source(f"{name}#{settings}", ModelOptions())


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2"])
def test_a_table_keeps_the_contract_of_an_index(metric: Metric) -> None:
    psycopg = pytest.importorskip("psycopg")

    def make(vectors: Vectors, metric: Metric) -> VectorIndex:
        try:
            name = written(vectors)
        except psycopg.DataError as error:  # pgvector holds no nan
            raise DataError(str(error)) from error
        return opened(name, f"model={vectors.space.model}").index(metric)

    check_index(make, metric)


def test_every_vector_is_read_as_it_is() -> None:
    found = opened(written(of(ROWS)))

    np.testing.assert_array_equal(found.held.values, ROWS)
    assert found.held.ids.to_pylist()[:2] == ["d000", "d001"]
    assert found.describe()["space"]["model"] == "m1"


def test_half_precision_is_read() -> None:
    found = opened(written(of(ROWS), kind="halfvec"))

    np.testing.assert_array_equal(found.held.values, ROWS.astype(np.float16))
    assert len(found.index("cosine").search(of(ROWS[:2]), 3).rows) == 2


def test_the_content_decides_who_it_is_and_not_the_table() -> None:
    one, same = written(of(ROWS)), written(of(ROWS))
    other = written(of(ROWS + 1))

    prints = [opened(name).fingerprint() for name in (one, same, other)]

    assert prints[0] == prints[1] != prints[2]
    assert opened(one, "model=m2").fingerprint() != prints[0]


def test_an_index_on_the_column_is_searched_and_told() -> None:
    graph = "CREATE INDEX ON {table} USING hnsw (embedding vector_cosine_ops)"
    found = opened(written(of(ROWS), more=graph))

    index = found.index("cosine")

    assert isinstance(index, EngineIndex)
    assert not index.engine.exact
    assert "approximate" in index.notes[-1]
    assert recall(index, of(ROWS[:20]), 10) > 0.9
    by_distance = found.index("l2")
    assert isinstance(by_distance, EngineIndex)
    assert by_distance.engine.exact
    assert found.describe()["served_by"] == ["vector_cosine_ops"]


def test_names_are_quoted_and_nothing_can_be_written() -> None:
    rename = 'ALTER TABLE {table} RENAME COLUMN embedding TO "Em bed""ding"'
    name = written(of(ROWS), more=rename)
    found = opened(name, 'model=m1,vector=Em bed"ding')
    index: Any = found.index("cosine")

    assert len(index.search(of(ROWS[:1]), 3).names()[0]) == 3
    writing = replace(index.engine, query=f"DELETE FROM {name} WHERE id = %s OR %s = 1")  # noqa: S608
    with pytest.raises(ModelError, match="read-only transaction"):
        writing.nearest(ROWS[:1], 1)


def test_rows_of_two_models_are_half_migrated() -> None:
    more = (
        "ALTER TABLE {table} ADD model text DEFAULT 'm1';"
        "UPDATE {table} SET model = 'm2' WHERE id < 'd050'"
    )
    name = written(of(ROWS), more=more)

    with pytest.raises(DataError, match=r"150 of m1, 50 of m2"):
        opened(name, "model_column=model")


def test_the_model_of_all_rows_may_be_a_column() -> None:
    name = written(of(ROWS), more="ALTER TABLE {table} ADD model text DEFAULT 'm1'")

    assert opened(name, "model_column=model").held.space.model == "m1"
    with pytest.raises(ModelError, match="are of m1, not of m2"):
        opened(name, "model_column=model,model=m2")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("", r"#model=NAME"),
        ("model=m1,vector=none", r"no column 'none' for the vector.*embedding"),
        ("model=m1,id=none", r"no column 'none' for the id"),
        ("model=m1,vector=id", r"column id is text"),
        ("model=m1,colour=red", r"'colour=red' after # is no setting"),
        ("model=m1,dbname=nowhere", r'PostgreSQL says.*"nowhere" does not exist'),
    ],
)
def test_what_is_missing_is_told(settings: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        opened(written(of(ROWS[:3])), settings)


def test_a_table_that_is_not_there_is_told() -> None:
    with pytest.raises(ModelError, match="no table nothing"):
        opened("nothing")


def test_rows_without_a_vector_and_no_rows_are_told() -> None:
    name = written(of(ROWS), more="UPDATE {table} SET embedding = NULL WHERE id='d007'")
    with pytest.raises(DataError, match=r"no vector \('?d007"):
        opened(name)

    with pytest.raises(DataError, match="is empty"):
        opened(written(of(ROWS[:2]), more="DELETE FROM {table}"))


def test_a_password_is_neither_taken_nor_shown() -> None:
    for place in ("items#password=geheim", "postgresql://me:geheim@host/db#model=m1"):
        with pytest.raises(ModelError, match="PGPASSWORD") as caught:
            open_source(place, ModelOptions())
        assert "geheim" not in str(caught.value)


def test_queries_may_stand_in_a_file(tmp_path: Path) -> None:
    from compat_eval.vectors.files import write_vectors

    asked = Vectors.of(["q1", "q2"], ROWS[:2] + 1, model="m1", normalised=False)
    write_vectors(tmp_path / "q.npy", asked)
    found = opened(written(of(ROWS)), f"model=m1,queries={tmp_path / 'q.npy'}")

    again = found.given("query", asked.ids)

    np.testing.assert_array_equal(again.values, asked.values)
    exact = ExactIndex.of(found.held, "l2").search(again, 5)
    np.testing.assert_array_equal(found.index("l2").search(again, 5).rows, exact.rows)
    with pytest.raises(DataError, match=r"document vectors: 1 of 1 ids have none"):
        found.given("document", asked.ids[:1])
