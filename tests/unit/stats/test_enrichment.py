import numpy as np
import pytest
from scipy import stats

from compat_eval.stats.enrichment import hypergeometric_p


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
