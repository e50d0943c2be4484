"""What is refused of vectors."""

from pathlib import Path

import numpy as np
import pytest

from compat_eval.core.errors import DataError
from compat_eval.vectors.vectors import Vectors, lengths


def vectors(rows: list[list[float]], *, normalised: bool = False) -> Vectors:
    names = [f"d{n}" for n in range(len(rows))]
    return Vectors.of(names, np.array(rows), model="m", normalised=normalised)


def test_lengths_by_hand() -> None:
    assert lengths(vectors([[3.0, 4.0], [0.0, 2.0]])).tolist() == [5.0, 2.0]


def test_a_vector_of_zeros_is_refused_by_id() -> None:
    with pytest.raises(DataError, match=r"1 of 2 .* all zeros \(d1\)"):
        lengths(vectors([[1.0, 0.0], [0.0, 0.0]]))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused_by_id(bad: float) -> None:
    with pytest.raises(DataError, match=r"NaN or infinite numbers \(d0\)"):
        lengths(vectors([[bad, 0.0], [1.0, 0.0]]))


def test_vectors_that_are_said_to_be_normalised_and_are_not() -> None:
    with pytest.raises(DataError, match=r"not of length 1.*\(d1\)"):
        lengths(vectors([[1.0, 0.0], [2.0, 0.0]], normalised=True))


def test_an_id_has_one_vector() -> None:
    with pytest.raises(DataError, match=r"1 ids are there again \(a\)"):
        Vectors.of(["a", "a"], np.ones((2, 3)), model="m", normalised=False)


def test_as_many_ids_as_vectors() -> None:
    with pytest.raises(DataError, match="one an id"):
        Vectors.of(["a"], np.ones((2, 3)), model="m", normalised=False)


@pytest.mark.parametrize("far", [1e-30, 1e30])
def test_lengths_that_single_precision_cannot_multiply(far: float) -> None:
    with pytest.raises(DataError, match=r"lengths that no encoder gives \(d1\)"):
        lengths(vectors([[1.0, 0.0], [far, 0.0]]))


def test_pages_of_a_mapped_file_are_let_go_of_and_read_again(tmp_path: Path) -> None:
    rows = np.arange(60_000, dtype=np.float32).reshape(20_000, 3) + 1
    np.save(tmp_path / "v.npy", rows)
    mapped = np.load(tmp_path / "v.npy", mmap_mode="r")
    vectors = Vectors.of(
        [str(n) for n in range(20_000)], mapped, model="m", normalised=False
    )

    for _ in range(2):
        read = np.concatenate([np.array(block) for _, block in vectors.blocks(700)])
        np.testing.assert_array_equal(read, rows)


def test_what_was_written_into_a_private_map_stays(tmp_path: Path) -> None:
    """Letting go of its pages would lose it."""
    np.save(tmp_path / "v.npy", np.ones((5_000, 3), np.float32))
    private = np.load(tmp_path / "v.npy", mmap_mode="c")
    private[:] = 7
    vectors = Vectors.of(
        [str(n) for n in range(5_000)], np.asarray(private), model="m", normalised=False
    )

    for _ in vectors.blocks(100):
        pass

    assert (private == 7).all()
