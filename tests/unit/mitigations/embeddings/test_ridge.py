"""Ridge regression agrees with scikit-learn's; low rank with its definition."""

import numpy as np
import pytest
from scipy.optimize import minimize

from compat_eval.core.errors import UsageError
from compat_eval.mitigations.embeddings.ridge import fit_low_rank, fit_ridge

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4)) + 2.0
Y = X @ RNG.normal(size=(4, 3)) + RNG.normal(size=(40, 3)) - 1.0


def test_as_scikit_learn() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    theirs = linear_model.Ridge(alpha=2.5).fit(X, Y)

    fitted = fit_ridge(X, Y, penalty=2.5)

    np.testing.assert_allclose(fitted(X), theirs.predict(X), atol=1e-10)


def test_the_penalty_must_be_positive() -> None:
    with pytest.raises(UsageError, match="above 0"):
        fit_ridge(X, Y, penalty=0.0)


def test_full_rank_is_ridge() -> None:
    found = fit_low_rank(X, Y, rank=3, penalty=0.5)

    np.testing.assert_allclose(found.matrix, fit_ridge(X, Y, penalty=0.5).matrix)


def test_low_rank_is_the_best_map_of_its_rank() -> None:
    """A search over all maps of rank 1 finds no better one."""
    penalty = 0.7
    found = fit_low_rank(X, Y, rank=1, penalty=penalty)
    x, y = X - X.mean(axis=0), Y - Y.mean(axis=0)

    def loss(weights: np.ndarray) -> float:
        matrix = np.outer(weights[:4], weights[4:])
        return float(((x @ matrix - y) ** 2).sum() + penalty * (matrix**2).sum())

    starts = RNG.normal(size=(5, 7))
    best = min(minimize(loss, start).fun for start in starts)

    assert np.linalg.matrix_rank(found.matrix) == 1
    ours = ((x @ found.matrix - y) ** 2).sum() + penalty * (found.matrix**2).sum()
    assert ours == pytest.approx(best, rel=1e-6)


def test_the_rank_must_be_positive() -> None:
    with pytest.raises(UsageError, match="at least 1"):
        fit_low_rank(X, Y, rank=0)
