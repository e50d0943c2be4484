"""A network on top of a map."""

from functools import partial

import numpy as np
import pytest

from compat_eval.core.arrays import Rows
from compat_eval.core.errors import DataError
from compat_eval.mitigations.embeddings.procrustes import fit_procrustes
from compat_eval.mitigations.embeddings.residual import fit_residual

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 3))
BENT = X + np.abs(X[:, ::-1])

fit = partial(fit_residual, hidden=16, epochs=40, batch=64, rate=1e-2)


def off(found: Rows) -> float:
    return float(((found - BENT) ** 2).mean())


def test_without_training_it_is_the_map_below() -> None:
    np.testing.assert_allclose(
        fit_residual(X, BENT, epochs=0)(X), fit_procrustes(X, BENT)(X)
    )


def test_what_no_linear_map_can_do_is_learned() -> None:
    linear, residual = fit_procrustes(X, BENT), fit(X, BENT)
    best = np.linalg.lstsq(np.column_stack([X, np.ones(300)]), BENT, rcond=None)[1]

    assert off(residual(X)) < 0.3 * best.sum() / BENT.size < off(linear(X))


def test_the_random_seed_decides() -> None:
    one, same, other = (fit(X, BENT, epochs=1, seed=s)(X) for s in (3, 3, 4))

    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_loss_that_is_not_finite_is_told() -> None:
    with pytest.raises(DataError, match="lower its rate"):
        fit(X, BENT, rate=1e200)
