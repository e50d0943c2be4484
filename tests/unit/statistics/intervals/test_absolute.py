"""Bounds of sums of absolute values."""

import math

import numpy as np
import pytest

from compat_eval.statistics.intervals.absolute import AbsoluteSumEvidence, covariance
from compat_eval.statistics.intervals.evidence import Side


def made(
    terms: list[float], error: float = 0.01, factors: list[float] | None = None
) -> AbsoluteSumEvidence:
    return AbsoluteSumEvidence(
        terms=np.array(terms),
        covariance=np.eye(len(terms)) * error**2,
        factors=np.ones(len(terms)) if factors is None else np.array(factors),
        n=200,
        examples=200,
        reach=(0.0, 1.0) if factors is None else (-1.0, 1.0),
    )


def test_terms_that_are_surely_not_0_have_no_bias() -> None:
    assert made([0.2, -0.1]).value == pytest.approx(0.3)


def test_a_term_near_0_counts_for_less() -> None:
    assert 0 < made([0.01]).value < 0.01
    assert made([0.0]).value == 0.0


def test_small_terms_push_the_lower_bound_and_not_the_upper_one() -> None:
    found = made([0.01] * 10)

    up, down = found.upper(0.05) - 0.1, 0.1 - found.lower(0.05)

    assert up == pytest.approx(1.65 * 0.01 * math.sqrt(10), rel=0.01)
    assert down > up


@pytest.mark.parametrize("alpha", [0.05, 0.001])
def test_p_values_belong_to_the_bounds(alpha: float) -> None:
    found = made([0.05, 0.02, -0.1, 0.03], factors=[1, 1, -1, -1])

    assert found.p_above(found.upper(alpha)) == pytest.approx(alpha)
    assert found.p_at_most(found.lower(alpha)) == pytest.approx(alpha)
    assert found.lower(alpha) < found.value < found.upper(alpha)


def test_an_unseen_example_keeps_a_term_without_spread_uncertain() -> None:
    same = np.full((50, 1), 1e-9) * np.where(np.arange(50) % 2, 1, -1)[:, None]

    assert math.sqrt(float(covariance([same])[0, 0])) == pytest.approx(
        0.5 / 50, rel=0.01
    )
    assert covariance([np.zeros((50, 1))])[0, 0] == 0


@pytest.mark.parametrize("side", ["at_most", "at_least"])
def test_nothing_can_be_detected_where_nothing_moves_a_term(side: Side) -> None:
    assert math.isnan(made([0.0] * 4, error=0.0).detectable(0.05, 0.05, side=side))
    assert not math.isnan(made([0.0] * 4).detectable(0.05, 0.05, side="at_most"))


def test_one_example_has_no_bound() -> None:
    alone = AbsoluteSumEvidence(
        terms=np.array([0.3]),
        covariance=np.zeros((1, 1)),
        factors=np.ones(1),
        n=1,
        examples=1,
        reach=(0.0, 1.0),
    )

    assert math.isnan(alone.upper(0.05))
    assert math.isnan(alone.lower(0.05))
    assert alone.p_above(0.9) == alone.p_at_most(0.1) == 1.0
    assert alone.estimate().reason == "no interval of one example"
