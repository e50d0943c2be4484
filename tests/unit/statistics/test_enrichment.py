import numpy as np
import pytest
from scipy import stats

from compat_eval.statistics.enrichment import clustered_p, hypergeometric_p


@pytest.mark.parametrize(
    ("found", "drawn", "marked", "whole"),
    [
        (3, 10, 20, 100),
        (12, 1000, 350, 10_000),
        (60, 1000, 350, 10_000),
        (0, 5, 5, 10),
        (5, 8, 7, 10),
        (9000, 250_000, 35_000, 1_000_000),
    ],
)
def test_the_tail_is_that_of_the_hypergeometric_distribution(
    found: int, drawn: int, marked: int, whole: int
) -> None:
    p = hypergeometric_p(np.array([found]), np.array([drawn]), marked, whole)

    expected = stats.hypergeom.sf(found - 1, whole, marked, drawn)
    assert p[0] == pytest.approx(expected, rel=1e-7)


def test_more_than_can_be_drawn_never_happens() -> None:
    p = hypergeometric_p(np.array([3]), np.array([2]), 5, 10)

    assert p.tolist() == [0.0]


def test_what_must_be_drawn_is_certain() -> None:
    p = hypergeometric_p(np.array([1]), np.array([8]), 5, 10)

    assert p[0] == pytest.approx(1.0)


def test_one_cluster_that_broke_proves_nothing_about_its_slice() -> None:
    clusters = np.repeat(np.arange(20), 10)
    inside = clusters == 0

    assert hypergeometric_p(np.array([10]), np.array([10]), 10, 200)[0] < 1e-10
    assert clustered_p(inside, inside, clusters) > 0.1


def test_examples_of_their_own_are_tested_more_carefully_than_by_fisher() -> None:
    marked = np.arange(400) % 10 == 0
    inside = (np.arange(400) % 20 == 0) | (np.arange(400) % 20 == 1)

    alone = clustered_p(inside, marked, np.arange(400))

    exact = hypergeometric_p(np.array([20]), np.array([40]), 40, 400)[0]
    assert exact < alone < 1e-2


def test_a_weighted_example_counts_as_one_that_was_seen() -> None:
    marked = np.arange(40) % 4 == 0
    inside = np.arange(40) == 0
    weights = np.where(inside, 1000.0, 1.0)

    assert clustered_p(inside, marked, np.arange(40), weights) > 0.1
