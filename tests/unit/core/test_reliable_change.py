import math

import numpy as np
import pytest
from scipy.stats import barnard_exact

from compat_eval.core.reliable_change import (
    change_index,
    critical_index,
    reliably_moved,
)


def test_the_index_by_hand() -> None:
    # 8 and 3 of 10: together .55, so sqrt(.55 · .45 · 2 / 10) = .2225 of −.5.
    k = np.array([10])
    found = change_index(np.array([0.8]), np.array([0.3]), k, k)
    np.testing.assert_allclose(found, [-0.5 / math.sqrt(0.55 * 0.45 / 5)])


def test_shares_that_are_the_same_or_unknown_do_not_move() -> None:
    k = np.array([4, 4, 4])
    old, new = np.array([1.0, 0.0, np.nan]), np.array([1.0, 0.0, 1.0])
    assert reliably_moved(old, new, k, k, alpha=0.05).tolist() == [0, 0, 0]


def test_two_samples_are_too_few_and_four_show_all_against_none() -> None:
    assert critical_index(2, 2, 0.05) == math.inf
    k = np.array([4, 4, 4])
    old, new = np.array([1.0, 1.0, 0.0]), np.array([0.0, 0.25, 1.0])
    assert reliably_moved(old, new, k, k, alpha=0.05).tolist() == [-1, 0, 1]


@pytest.mark.parametrize(("x", "y", "k"), [(9, 3, 10), (8, 3, 10), (10, 7, 10)])
def test_it_decides_as_barnards_exact_test_with_the_same_index(
    x: int, y: int, k: int
) -> None:
    sizes = np.array([k])
    moved = reliably_moved(
        np.array([x / k]), np.array([y / k]), sizes, sizes, alpha=0.05
    )
    p = barnard_exact([[x, y], [k - x, k - y]], pooled=True, n=64).pvalue
    assert bool(moved[0]) == (p <= 0.05)


@pytest.mark.parametrize(("k_old", "k_new"), [(4, 4), (10, 10), (5, 20), (3, 8)])
def test_samples_of_one_share_rarely_show_a_change(k_old: int, k_new: int) -> None:
    rng = np.random.default_rng(1)
    n = 20_000
    for share in (0.05, 0.3, 0.5, 0.9):
        old = rng.binomial(k_old, share, n) / k_old
        new = rng.binomial(k_new, share, n) / k_new
        sizes = np.full(n, k_old), np.full(n, k_new)
        found = reliably_moved(old, new, *sizes, alpha=0.05)
        assert np.mean(found != 0) <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / n)


def test_very_many_samples_use_the_normal_quantile() -> None:
    assert critical_index(100, 100, 0.05) == pytest.approx(1.959964, abs=1e-6)
