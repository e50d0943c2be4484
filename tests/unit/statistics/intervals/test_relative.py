"""Relative NFR: melded bounds that do not collapse."""

import math

import pytest

from compat_eval.statistics.intervals.relative import RelativeRateEvidence


def found(a: int, b: int, c: int, d: int) -> RelativeRateEvidence:
    value = b * (a + b + c + d) / ((a + b) * (b + d)) if (a + b) * (b + d) else math.nan
    return RelativeRateEvidence(
        broken=(b, a + b),
        missed=(d, c + d),
        old_right=(a + b, a + b + c + d),
        value=value,
        n=a + b + c + d,
        examples=a + b + c + d,
        undefined_when="old is never right or new makes no error",
    )


def test_independent_errors_are_near_one() -> None:
    evidence = found(7000, 1000, 1750, 250)

    assert evidence.value == pytest.approx(1.0)
    assert evidence.lower(0.05) < 1 < evidence.upper(0.05)
    assert evidence.upper(0.05) - evidence.lower(0.05) < 0.1


def test_no_flip_has_a_lower_bound_of_zero_and_an_upper_above() -> None:
    evidence = found(80, 0, 5, 15)

    assert evidence.lower(0.05) == 0
    assert 0 < evidence.upper(0.05) < 0.5
    assert evidence.p_at_most(0.1) > 0.05


def test_only_flips_among_the_errors_has_no_end_at_its_value() -> None:
    evidence = found(80, 10, 10, 0)

    assert evidence.value == pytest.approx(10 * 100 / (90 * 10))
    assert evidence.upper(0.05) > evidence.value
    assert evidence.p_above(1.0) > 0.05


def test_old_always_right_leaves_only_its_own_rate() -> None:
    evidence = found(90, 10, 0, 0)

    assert evidence.value == pytest.approx(1.0)
    estimate = evidence.estimate()
    assert estimate.low < 1 <= estimate.high


def test_undefined_says_why() -> None:
    evidence = found(0, 0, 5, 5)

    assert evidence.estimate().reason == "old is never right or new makes no error"
    assert evidence.fresh_examples(0.5, 0.05).examples is None


def test_no_fresh_sample_is_named() -> None:
    evidence = found(900, 5, 30, 65)

    fresh = evidence.fresh_examples(evidence.upper(0.05) * 0.8, 0.05)

    assert fresh.examples is None
    assert "not known for relative_nfr" in str(fresh.reason)
