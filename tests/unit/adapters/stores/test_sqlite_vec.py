"""Tables of an SQLite file: those of sqlite-vec, and plain ones with blobs."""

from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compat_eval.adapters.options import ModelOptions
from compat_eval.adapters.stores.sqlite_vec import open_source, recognises
from compat_eval.adapters.stores.stored import StoredVectors
from compat_eval.core.errors import DataError, ModelError
from compat_eval.testing import check_index
from compat_eval.vectors.engine_index import EngineIndex
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.files import write_vectors
from compat_eval.vectors.index import Metric, VectorIndex
from compat_eval.vectors.vectors import Vectors

apsw = pytest.importorskip("apsw", reason="apsw is not installed")
sqlite_vec = pytest.importorskip("sqlite_vec", reason="sqlite-vec is not installed")
ROWS = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
IDS = [f"d{n:02}" for n in range(50)]
PLAIN = "CREATE TABLE docs (id TEXT, embedding BLOB)"
VIRTUAL = (
    "CREATE VIRTUAL TABLE docs USING vec0(id TEXT PRIMARY KEY, embedding float[8])"
)
_number = count()


def written(
    folder: Path, ids: list[str], rows: Any, create: str = PLAIN, more: str = ""
) -> Path:
    path = folder / f"{next(_number)}.db"
    with closing(apsw.Connection(str(path))) as connection, connection:
        connection.enable_load_extension(True)  # noqa: FBT003
        sqlite_vec.load(connection)
        connection.execute(create)
        blobs = [np.asarray(row, np.float32).tobytes() for row in rows]
        pairs = list(zip(ids, blobs, strict=True))
        connection.executemany("INSERT INTO docs VALUES (?, ?)", pairs)
        connection.execute(more)
    return path


def opened(path: Path, settings: str = "model=m1") -> StoredVectors:
    return open_source(f"{path}#{settings}", ModelOptions())


@pytest.mark.parametrize("create", [PLAIN, VIRTUAL])
@pytest.mark.parametrize("metric", ["cosine", "dot", "l2"])
def test_a_table_keeps_the_contract_of_an_index(
    metric: Metric, create: str, tmp_path: Path
) -> None:
    def make(vectors: Vectors, metric: Metric) -> VectorIndex:
        path = written(tmp_path, vectors.ids.to_pylist(), vectors.values, create)
        return opened(path, f"model={vectors.space.model}").index(metric)

    check_index(make, metric)


def test_every_vector_is_read_as_it_is(tmp_path: Path) -> None:
    one = opened(written(tmp_path, IDS, ROWS))
    same = opened(written(tmp_path, IDS, ROWS, VIRTUAL))
    other = opened(written(tmp_path, IDS, ROWS * 2))

    np.testing.assert_array_equal(one.held.values, ROWS)
    assert one.held.ids.to_pylist() == IDS
    assert one.fingerprint() == same.fingerprint() != other.fingerprint()
    assert isinstance(one.index("l2"), EngineIndex)
    assert isinstance(one.index("dot"), ExactIndex)  # sqlite-vec has no such distance


def test_nothing_can_be_written(tmp_path: Path) -> None:
    index: Any = opened(written(tmp_path, IDS, ROWS)).index("l2")
    engine = replace(index.engine, query="DELETE FROM docs WHERE id = ? OR 1 = ?")

    with pytest.raises(apsw.ReadOnlyError, match="readonly"):
        engine.nearest(ROWS[:1], 1)


def test_names_are_quoted(tmp_path: Path) -> None:
    more = 'ALTER TABLE docs RENAME COLUMN embedding TO "the ""vector"""'
    path = written(tmp_path, IDS, ROWS, more=more)
    named = opened(path, 'model=m1,table=docs,id=id,vector=the "vector"')

    assert named.index("l2").search(named.held, 1).names() == [[one] for one in IDS]


def test_rows_of_two_models_are_half_migrated(tmp_path: Path) -> None:
    more = (
        "ALTER TABLE docs ADD COLUMN model TEXT DEFAULT 'm1';"
        "UPDATE docs SET model = 'm2' WHERE id < 'd10'"
    )
    with pytest.raises(DataError, match="40 of m1, 10 of m2"):
        opened(written(tmp_path, IDS, ROWS, more=more), "model_column=model")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("table=docs", "table=docs,model=NAME"),
        ("model=m1,table=nothing", r"name the table, as in #table=NAME.*docs"),
        ("model=m1,vector=none", "no column 'none' for the vector"),
        ("model=m1,id=none", "no column 'none' for the id"),
    ],
)
def test_what_is_missing_is_told(settings: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=message):
        opened(written(tmp_path, IDS, ROWS), settings)


def test_damaged_vectors_and_files_are_told(tmp_path: Path) -> None:
    short = "UPDATE docs SET embedding = X'0011' WHERE id = 'd07'"
    with pytest.raises(DataError, match=r"1 rows have none.*d07"):
        opened(written(tmp_path, IDS, ROWS, more=short))
    with pytest.raises(DataError, match="they differ"):
        opened(written(tmp_path, ["a", "b"], [ROWS[0], ROWS[1][:4]]))
    with pytest.raises(DataError, match="empty"):
        opened(written(tmp_path, [], []))
    (tmp_path / "no.db").write_bytes(b"this is no database at all" * 40)
    with pytest.raises(ModelError, match="cannot be read"):
        opened(tmp_path / "no.db")
    with pytest.raises(ModelError, match="no such file"):
        opened(tmp_path / "absent.db")
    assert not recognises(tmp_path / "no.db")


def test_a_model_that_checks_names_the_vectors_as_their_queries_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "checking.py").write_text("def make(): return len")
    monkeypatch.syspath_prepend(str(tmp_path))
    path = written(tmp_path, IDS, ROWS)
    asked = Vectors.of(["q"], ROWS[:1], model="m7", normalised=False)
    write_vectors(tmp_path / "q.npy", asked)

    found = opened(path, f"check=python:checking:make,queries={tmp_path / 'q.npy'}")

    assert found.held.space.model == "m7"
    assert found.checked_by is not None
    alone = opened(path, "check=python:checking:make")
    assert alone.held.space.model == found.checked_by.fingerprint()
