"""The paired randomisation test agrees with scipy's permutation test."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from compat_eval.core.errors import UsageError
from compat_eval.statistics.randomisation import randomisation_p

RNG = np.random.default_rng(0)


def theirs(old: Any, new: Any) -> float:
    """Try all exchanges, of up to 16 queries."""
    found = stats.permutation_test(
        (new, old),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        n_resamples=2**16,
        vectorized=True,
    )
    return float(found.pvalue)


@pytest.mark.parametrize("n", [3, 9])
def test_all_exchanges_of_few_queries(n: int) -> None:
    old, new = RNG.random(n), RNG.random(n) + 0.2

    assert randomisation_p(old, new, rng=RNG) == pytest.approx(theirs(old, new))


def test_drawn_exchanges_of_many() -> None:
    old = RNG.random(16)
    new = old + RNG.normal(0.05, 0.2, 16)

    found = randomisation_p(old, new, rng=np.random.default_rng(2))

    assert found == pytest.approx(theirs(old, new), abs=0.02)


def test_queries_that_do_not_differ_say_nothing() -> None:
    """Three of fifty differ: 2 of 8 exchanges reach them."""
    old = np.zeros(50)
    new = old.copy()
    new[:3] = 1.0

    assert randomisation_p(old, new, rng=RNG) == 0.25
    assert randomisation_p(old, old, rng=RNG) == 1.0


def test_a_drawn_p_value_is_never_0() -> None:
    assert randomisation_p(np.zeros(99), np.ones(99), rng=RNG, draws=99) == 0.01


def test_a_missing_value_is_refused() -> None:
    with pytest.raises(UsageError, match="finite"):
        randomisation_p(np.zeros(2), np.array([1.0, np.nan]), rng=RNG)
