"""Orthogonal maps, centred and not."""

from functools import partial

import numpy as np
import pytest

from compat_eval.core.arrays import Rows
from compat_eval.core.errors import UsageError
from compat_eval.mitigations.embeddings.procrustes import (
    fit_procrustes,
    orthogonal_matrix,
)

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(60, 5))
TURN = np.linalg.qr(RNG.normal(size=(5, 5)))[0]


def relative_error(found: Rows, target: Rows) -> float:
    return float(np.linalg.norm(found - target) / np.linalg.norm(target))


def test_the_convention_is_that_rows_are_multiplied_from_the_right() -> None:
    """Applying the transpose instead is off by 2."""
    quarter = np.array([[0.0, 1.0], [-1.0, 0.0]])

    found = orthogonal_matrix(np.eye(2), np.eye(2) @ quarter)

    np.testing.assert_allclose(found, quarter, atol=1e-15)
    assert np.abs(np.eye(2) @ found.T - quarter).max() == pytest.approx(2.0)


def test_a_rotation_is_recovered() -> None:
    fitted = fit_procrustes(ROWS, ROWS @ TURN)

    np.testing.assert_allclose(fitted(ROWS), ROWS @ TURN, atol=1e-12)


def test_a_reflection_is_not_forced_to_be_a_rotation() -> None:
    mirror = np.diag([1.0, 1.0, 1.0, 1.0, -1.0])

    assert np.linalg.det(orthogonal_matrix(ROWS, ROWS @ mirror)) == pytest.approx(-1)


def test_the_matrix_is_orthogonal_so_lengths_and_angles_stay() -> None:
    matrix = orthogonal_matrix(ROWS, RNG.normal(size=(60, 5)))

    np.testing.assert_allclose(matrix.T @ matrix, np.eye(5), atol=1e-12)
    np.testing.assert_allclose(
        ROWS @ matrix @ (ROWS @ matrix).T, ROWS @ ROWS.T, atol=1e-12
    )


def test_offsets_between_the_spaces_need_centring() -> None:
    """An offset of 3 on one axis of the source, and of 5 on another of the target."""
    source = ROWS + 3.0 * np.eye(5)[0]
    target = ROWS @ TURN + 5.0 * np.eye(5)[1]
    plain = partial(fit_procrustes, centred=False)(source, target)

    centred = fit_procrustes(source, target)

    assert relative_error(plain(source), target) > 0.3
    assert relative_error(centred(source), target) < 1e-12


@pytest.mark.parametrize("width", [3, 8])
def test_spaces_of_different_dimensions(width: int) -> None:
    """Vectors that lie in what both spaces have are recovered."""
    wide = np.zeros((60, max(width, 5)))
    small = min(width, 5)
    wide[:, :small] = ROWS[:, :small]
    source, target = wide[:, :5], wide[:, :width]

    fitted = fit_procrustes(source, target)

    np.testing.assert_allclose(fitted(source), target, atol=1e-12)


def test_rows_must_be_paired() -> None:
    with pytest.raises(UsageError, match="60 vectors were paired with 59"):
        fit_procrustes(ROWS, ROWS[1:])
