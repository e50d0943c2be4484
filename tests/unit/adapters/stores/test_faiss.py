"""Indices of FAISS: made of vectors, and read from files of the common kinds."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compat_eval.adapters.options import ModelOptions
from compat_eval.adapters.stores.faiss import open_source, recognises
from compat_eval.adapters.stores.faiss_engine import flat_engine
from compat_eval.adapters.stores.stored import StoredVectors
from compat_eval.core.errors import DataError, ModelError
from compat_eval.testing import check_index
from compat_eval.vectors.engine_index import EngineIndex, recall
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.files import write_vectors
from compat_eval.vectors.index import Metric, VectorIndex
from compat_eval.vectors.vectors import Vectors

faiss = pytest.importorskip("faiss", reason="faiss-cpu is not installed")

ROWS = np.random.default_rng(0).normal(size=(400, 8)).astype(np.float32)
UNIT = ROWS / np.linalg.norm(ROWS, axis=1, keepdims=True)
IDS = [f"d{n:03}" for n in range(400)]


def of(rows: Any) -> Vectors:
    ids = [f"q{n}" for n in range(len(rows))]
    return Vectors.of(ids, np.asarray(rows), model="m1", normalised=False)


def opened(index: Any, path: Path, settings: str = "#model=m1") -> StoredVectors:
    faiss.write_index(index, str(path))
    return open_source(f"{path}{settings}", ModelOptions())


def flat(vectors: Vectors, metric: Metric) -> VectorIndex:
    exact = ExactIndex.of(vectors, metric)
    return EngineIndex(scored=exact, engine=flat_engine(exact))


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2"])
def test_a_flat_index_keeps_the_contract(metric: Metric) -> None:
    check_index(flat, metric)


@pytest.mark.parametrize("metric", ["dot", "l2"])
def test_an_index_file_keeps_the_contract(metric: Metric, tmp_path: Path) -> None:
    def make(vectors: Vectors, metric: Metric) -> VectorIndex:
        exact = ExactIndex.of(vectors, metric)
        path = tmp_path / "docs.faiss"
        write_vectors(tmp_path / "docs.npy", vectors)
        (tmp_path / "docs.npy.ids.parquet").rename(f"{path}.ids.parquet")
        return opened(flat_engine(exact).index, path, "").index(metric)

    check_index(make, metric)


def test_ties_are_broken_by_id_however_many() -> None:
    """FAISS returns any of equal vectors; all of them are asked for."""
    rows = np.repeat(UNIT[:4], 100, axis=0)

    names = flat(Vectors.of(IDS, rows, model="m1", normalised=True), "dot").search(
        of(UNIT[2:3]), 3
    )

    assert names.names() == [["d200", "d201", "d202"]]


def test_the_ids_beside_an_index_are_part_of_its_identity(tmp_path: Path) -> None:
    path, prints = tmp_path / "docs.faiss", []
    for ids in (IDS, IDS[::-1]):
        vectors = Vectors.of(ids, UNIT, model="m1", normalised=True)
        write_vectors(tmp_path / "docs.npy", vectors)
        (tmp_path / "docs.npy.ids.parquet").rename(f"{path}.ids.parquet")
        index = flat_engine(ExactIndex.of(vectors, "dot")).index
        prints.append(opened(index, path, "").fingerprint())

    assert prints[0] != prints[1]


@pytest.mark.parametrize(
    ("kind", "exact", "near"),
    [
        ("Flat", True, 1.0),
        ("IDMap,Flat", True, 1.0),
        ("HNSW16", False, 0.9),
        ("IVF4,Flat", False, 0.3),
        ("SQ8", False, 0.8),
        ("PQ4", False, 0.2),
    ],
)
def test_common_kinds_are_read(
    kind: str, exact: Any, near: float, tmp_path: Path
) -> None:
    index = faiss.index_factory(8, kind, faiss.METRIC_INNER_PRODUCT)
    index.train(UNIT)
    if kind.startswith("IDMap"):
        index.add_with_ids(UNIT, np.arange(1000, 1400))
    else:
        index.add(UNIT)
    found = opened(index, tmp_path / "docs.faiss")

    first = found.held.ids.to_pylist()[0]
    assert first == ("1000" if kind.startswith("IDMap") else "0")
    if kind not in {"SQ8", "PQ4"}:
        np.testing.assert_array_equal(found.held.values, UNIT)
    by = found.index("dot")
    assert isinstance(by, EngineIndex)
    assert by.engine.exact is exact
    assert recall(by, of(UNIT[:20]), 5) >= near


def test_dot_products_are_the_cosine_of_unit_vectors_only(tmp_path: Path) -> None:
    found = []
    for rows in (UNIT, ROWS):
        index = faiss.IndexFlatIP(8)
        index.add(rows)
        found.append(opened(index, tmp_path / "docs.faiss").index("cosine"))

    assert isinstance(found[0], EngineIndex)
    assert isinstance(found[1], ExactIndex)
    assert "not of length 1" in found[1].notes[0]


def test_ids_may_stand_beside_the_file(tmp_path: Path) -> None:
    vectors = Vectors.of(IDS, UNIT, model="m7", normalised=True)
    write_vectors(tmp_path / "docs.npy", vectors)
    beside = tmp_path / "docs.npy.ids.parquet"
    beside.rename(tmp_path / "docs.faiss.ids.parquet")
    index = faiss.IndexFlatL2(8)
    index.add(UNIT)

    found = opened(index, tmp_path / "docs.faiss", "")

    assert found.held.ids.to_pylist() == IDS
    assert found.held.space.model == "m7"
    with pytest.raises(ModelError, match="are of m7, not of m1"):
        opened(index, tmp_path / "docs.faiss")
    index.add(UNIT[:1])
    with pytest.raises(DataError, match=r"shape \(400, 8\)"):
        opened(index, tmp_path / "docs.faiss", "")


def test_damaged_files_and_unknown_models_are_told(tmp_path: Path) -> None:
    path = tmp_path / "docs.faiss"
    index = faiss.IndexFlatIP(8)
    index.add(UNIT)
    with pytest.raises(ModelError, match=r"docs\.faiss#model=NAME"):
        opened(index, path, "")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ModelError, match="no whole index of FAISS"):
        open_source(f"{path}#model=m1", ModelOptions())
    with pytest.raises(ModelError, match="no such file"):
        open_source(f"{tmp_path}/no.faiss#model=m1", ModelOptions())
    assert recognises(path)
    assert recognises(Path(f"{path}#model=m1"))


def test_absurd_sizes_of_a_damaged_file_are_told(tmp_path: Path) -> None:
    path = tmp_path / "docs.faiss"
    index = faiss.IndexFlatL2(8)
    index.add(ROWS)
    faiss.write_index(index, str(path))
    whole = path.read_bytes()
    for at in range(4, 40):
        path.write_bytes(whole[:at] + b"\x7f" + whole[at + 1 :])

        with suppress(ModelError, DataError):
            open_source(f"{path}#model=m1", ModelOptions()).index("l2")
