"""Vectors that are not of the model that they are said to be of."""

import numpy as np
import pytest

from compat_eval.core.arrays import Array
from compat_eval.core.errors import DataError
from compat_eval.vectors.same_space import (
    embedded_by,
    found_again,
    refuse_half_migrated,
)
from compat_eval.vectors.vectors import Vectors

RNG = np.random.default_rng(0)
OLD, NEW = RNG.normal(size=(2, 200, 16))
IDS = [f"d{n}" for n in range(200)]


def vectors(rows: Array, ids: list[str] = IDS, model: str = "m") -> Vectors:
    return Vectors.of(ids, rows, model=model, normalised=False)


def test_independent_spaces_find_items_again_by_chance() -> None:
    found, n = found_again(vectors(NEW), vectors(OLD))

    assert (found <= 5, n) == (True, 200)


def test_one_space_finds_all_again_in_any_order_and_precision() -> None:
    coarse = vectors(NEW[::-1].astype(np.float16), IDS[::-1])

    assert found_again(vectors(NEW), coarse) == (200, 200)


def test_a_half_migrated_index_is_detected_by_a_sample() -> None:
    """Every other row is still OLD's."""
    rows = np.where(np.arange(200)[:, None] % 2, NEW, OLD)
    again = vectors(NEW[[1, 3, 4, 7]], [IDS[n] for n in (1, 3, 4, 7)], model="new")

    assert embedded_by(vectors(rows), again).tolist() == [True, True, False, True]
    with pytest.raises(DataError, match=r"half migrated: 1 of 4 .* new \(d4\)"):
        refuse_half_migrated(vectors(rows), again)


def test_an_index_of_another_model_is_told() -> None:
    with pytest.raises(DataError, match="of another model: 200 of 200"):
        refuse_half_migrated(vectors(OLD), vectors(NEW))


def test_a_whole_index_is_fine_at_half_precision_and_any_length() -> None:
    refuse_half_migrated(vectors(3 * NEW.astype(np.float16)), vectors(NEW))


def test_items_that_are_not_there_are_told() -> None:
    with pytest.raises(DataError, match="not in the index: x"):
        embedded_by(vectors(NEW), vectors(NEW[:1], ["x"]))
    with pytest.raises(DataError, match="one side only: d0"):
        found_again(vectors(NEW), vectors(NEW[1:], IDS[1:]))
