"""Interpolation on the sphere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat_eval.core.arrays import Values
from compat_eval.core.errors import UsageError
from compat_eval.mitigations.embeddings.slerp import slerp


def unit(seed: int) -> Values:
    row = np.random.default_rng(seed).normal(size=4)
    return np.asarray(row / np.linalg.norm(row))


def angle(one: Values, other: Values) -> float:
    return float(np.arccos(np.clip(one @ other, -1, 1)))


@settings(deadline=None)
@given(st.integers(0, 999), st.integers(1000, 1999), st.floats(0, 1))
def test_the_angle_grows_with_the_share(one: int, other: int, share: float) -> None:
    u, v = unit(one), unit(other)
    found = slerp(3 * u, v, share)

    assert np.linalg.norm(found) == pytest.approx(1.0)
    assert angle(u, found) == pytest.approx(share * angle(u, v), abs=1e-6)


def test_the_ends_are_the_vectors() -> None:
    u, v = unit(1), unit(2)

    np.testing.assert_allclose(slerp(u, v, 0.0), u)
    np.testing.assert_allclose(slerp(u, v, 1.0), v)


def test_parallel_vectors_stay() -> None:
    np.testing.assert_allclose(slerp(unit(1), 2 * unit(1), 0.3), unit(1))


def test_many_rows_at_once() -> None:
    u, v = np.stack([unit(1), unit(2)]), np.stack([unit(3), unit(2)])

    found = slerp(u, v, 0.25)

    np.testing.assert_allclose(found[0], slerp(u[0], v[0], 0.25))
    np.testing.assert_allclose(found[1], unit(2))


def test_opposite_vectors_have_no_one_way_between_them() -> None:
    with pytest.raises(UsageError, match="opposite"):
        slerp(unit(1), -unit(1), 0.5)


def test_the_share_is_a_share() -> None:
    with pytest.raises(UsageError, match=r"\[0, 1\]"):
        slerp(unit(1), unit(2), 1.5)
