"""Files of vectors: read as written, and told where they are damaged."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compat_eval.core.errors import DataError, UsageError
from compat_eval.vectors.files import read_vectors, write_vectors
from compat_eval.vectors.vectors import Vectors

SUFFIXES = ("npy", "safetensors", "parquet")
ROWS = np.arange(12, dtype=np.float32).reshape(4, 3) + 1
FOUR = Vectors.of(["a", "b", "c", "d"], ROWS, model="m1", normalised=False)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_read(suffix: str, tmp_path: Path) -> None:
    write_vectors(tmp_path / f"v.{suffix}", FOUR)
    found = read_vectors(tmp_path / f"v.{suffix}")

    assert found.ids.to_pylist() == ["a", "b", "c", "d"]
    assert found.space == FOUR.space
    np.testing.assert_array_equal(found.values, ROWS)


def test_safetensors_are_those_of_the_package(tmp_path: Path) -> None:
    """Its own reader reads what is written, and what its own writer wrote is read."""
    numpy = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "v.safetensors"
    write_vectors(path, FOUR)
    np.testing.assert_array_equal(numpy.load_file(path)["vectors"], ROWS)

    numpy.save_file({"other": ROWS[:1], "vectors": ROWS * 2}, path)
    np.testing.assert_array_equal(read_vectors(path).values, ROWS * 2)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_ends_early_is_told(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"v.{suffix}"
    write_vectors(path, FOUR)
    path.write_bytes(path.read_bytes()[:-4])

    with pytest.raises(DataError, match=r"v\."):
        read_vectors(path)


def test_more_ids_than_vectors_are_told(tmp_path: Path) -> None:
    write_vectors(tmp_path / "v.npy", FOUR)
    np.save(tmp_path / "v.npy", ROWS[:3])

    with pytest.raises(DataError, match="3 vectors, and 4 ids"):
        read_vectors(tmp_path / "v.npy")


def test_a_file_of_an_unknown_model_needs_its_name(tmp_path: Path) -> None:
    path = tmp_path / "v.parquet"
    lists = pa.array(ROWS.tolist(), pa.list_(pa.float32()))
    pq.write_table(pa.table({"id": ["a", "b", "c", "d"], "vector": lists}), path)

    with pytest.raises(DataError, match="name the model"):
        read_vectors(path)
    assert read_vectors(path, model="m7").space.model == "m7"


def test_another_model_than_the_file_says_is_refused(tmp_path: Path) -> None:
    write_vectors(tmp_path / "v.npy", FOUR)

    with pytest.raises(DataError, match="m1, m2"):
        read_vectors(tmp_path / "v.npy", model="m2")


def test_rows_of_two_models_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "v.parquet"
    lists = pa.array(ROWS.tolist(), pa.list_(pa.float32()))
    models = ["m1", "m1", "m2", "m1"]
    table = {"id": ["a", "b", "c", "d"], "vector": lists, "model": models}
    pq.write_table(pa.table(table), path)

    with pytest.raises(DataError, match="3 of m1, 1 of m2"):
        read_vectors(path)


def test_vectors_of_different_lengths_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "v.parquet"
    lists = pa.array([[1.0, 2.0], [1.0]], pa.list_(pa.float64()))
    pq.write_table(pa.table({"id": ["a", "b"], "vector": lists}), path)

    with pytest.raises(DataError, match=r"different lengths: \[1, 2\]"):
        read_vectors(path, model="m")


def test_other_suffixes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="npy"):
        read_vectors(tmp_path / "v.pkl")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damaged_files_are_told_and_never_crash(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"v.{suffix}"
    write_vectors(path, FOUR)
    good, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(good)
        for at in rng.integers(min(len(good), 120), size=3):
            damaged[at] = rng.integers(256)
        path.write_bytes(bytes(damaged))
        with suppress(DataError):
            read_vectors(path)


@pytest.mark.parametrize(
    "told",
    [
        b"3",
        b"{}",
        b'{"model": null, "dimension": 3, "normalised": true}',
        b'{"model": "m", "dimension": 3, "normalised": "no"}',
        b'{"model": "m", "dimension": 4, "normalised": true}',
    ],
)
def test_a_space_that_is_not_readable_is_told(told: bytes, tmp_path: Path) -> None:
    path = tmp_path / "v.npy"
    write_vectors(path, FOUR)
    table = pa.table({"id": ["a", "b", "c", "d"]})
    told_table = table.replace_schema_metadata({b"compat_eval": told})
    pq.write_table(told_table, tmp_path / "v.npy.ids.parquet")

    with pytest.raises(DataError, match=r"not readable|said to have 4"):
        read_vectors(path)


def test_lists_of_other_writers_are_read(tmp_path: Path) -> None:
    """Polars writes large lists and large strings; others whole numbers as ids."""
    path = tmp_path / "v.parquet"
    lists = pa.array(ROWS.tolist(), pa.large_list(pa.float64()))
    for ids in (pa.array(["a", "b", "c", "d"], pa.large_string()), pa.array(range(4))):
        pq.write_table(pa.table({"id": ids, "vector": lists}), path)

        found = read_vectors(path, model="m1")

        assert found.ids.to_pylist() == [str(one) for one in ids.to_pylist()]
        np.testing.assert_array_equal(found.values, ROWS)


def test_a_matrix_without_ids_says_how_to_give_them(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", ROWS)

    with pytest.raises(DataError, match=r"write v\.npy\.ids\.parquet beside it"):
        read_vectors(tmp_path / "v.npy", model="m1")
    with pytest.raises(DataError, match="no such file"):
        read_vectors(tmp_path / "none.npy", model="m1")
