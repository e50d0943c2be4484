"""The laws of bounds, intervals and corrections."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from compat_eval.gates.judge import levels
from compat_eval.statistics.evidence import evidence, mcnemar_p
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.intervals.change import (
    mcnemar,
    newcombe,
    p_change_above,
    p_change_at_most,
    upper_change,
)
from compat_eval.statistics.intervals.proportion import (
    clopper_pearson,
    lower_bound,
    p_above,
    p_at_most,
    upper_bound,
    wilson,
)
from compat_eval.statistics.multiplicity import benjamini_hochberg, holm
from compat_eval.statistics.power import most_flips, smallest_n

FRACTION = st.floats(0.001, 0.999)
ALPHA = st.floats(0.001, 0.4)
SMALL = st.integers(0, 60)
P_VALUES = st.lists(st.floats(0, 1), max_size=12)


@st.composite
def shares(draw: st.DrawFn) -> tuple[int, int]:
    """So many of so many."""
    n = draw(st.integers(1, 5000))
    return draw(st.integers(0, n)), n


@settings(deadline=None)
@given(shares(), st.floats(0.5, 0.999))
def test_intervals_hold_the_share_and_lie_in_the_unit(
    share: tuple[int, int], confidence: float
) -> None:
    k, n = share
    for interval in (wilson, clopper_pearson):
        low, high = interval(k, n, confidence=confidence)

        assert 0 <= low <= k / n + 1e-12
        assert k / n - 1e-12 <= high <= 1
        assert high > low


@settings(deadline=None)
@given(shares(), ALPHA)
def test_bounds_mirror_each_other(share: tuple[int, int], alpha: float) -> None:
    k, n = share

    mirrored = 1 - float(lower_bound(n - k, n, alpha=alpha))

    assert np.isclose(float(upper_bound(k, n, alpha=alpha)), mirrored, atol=1e-9)


@settings(deadline=None)
@given(shares(), ALPHA, FRACTION)
def test_a_bound_keeps_a_limit_exactly_where_the_p_value_says_so(
    share: tuple[int, int], alpha: float, limit: float
) -> None:
    k, n = share
    upper = float(upper_bound(k, n, alpha=alpha))
    lower = float(lower_bound(k, n, alpha=alpha))
    assume(abs(upper - limit) > 1e-9)
    assume(abs(lower - limit) > 1e-9)

    assert (upper <= limit) == (float(p_above(k, n, limit)) <= alpha)
    assert (lower > limit) == (float(p_at_most(k, n, limit)) <= alpha)


@settings(deadline=None)
@given(shares(), FRACTION)
def test_no_claim_and_its_opposite_are_both_refuted(
    share: tuple[int, int], limit: float
) -> None:
    assert float(p_above(*share, limit)) + float(p_at_most(*share, limit)) >= 1 - 1e-9


@settings(deadline=None)
@given(shares(), ALPHA)
def test_one_more_flip_never_lowers_a_bound(
    share: tuple[int, int], alpha: float
) -> None:
    k, n = share
    assume(k < n)

    assert upper_bound(k + 1, n, alpha=alpha) >= upper_bound(k, n, alpha=alpha)
    assert lower_bound(k + 1, n, alpha=alpha) >= lower_bound(k, n, alpha=alpha)


@settings(deadline=None)
@given(st.integers(0, 30), st.floats(0.002, 0.5), ALPHA)
def test_the_smallest_sample_certifies_and_one_fewer_does_not(
    flips: int, limit: float, alpha: float
) -> None:
    n = smallest_n(flips, limit, alpha=alpha)

    assert float(p_above(flips, n, limit)) <= alpha
    assert n - 1 <= flips or float(p_above(flips, n - 1, limit)) > alpha
    assert most_flips(n, limit, alpha=alpha) >= flips


@settings(deadline=None)
@given(SMALL, SMALL, SMALL, SMALL)
def test_newcombe_holds_the_change_and_mirrors(a: int, b: int, c: int, d: int) -> None:
    assume(a + b + c + d > 0)
    low, high = newcombe(a, b, c, d)
    change = (c - b) / (a + b + c + d)

    assert -1 <= low <= change + 1e-12
    assert change - 1e-12 <= high <= 1
    assert np.allclose(newcombe(a, c, b, d), (-high, -low))


@settings(deadline=None)
@given(SMALL, SMALL)
def test_mcnemar_is_a_p_value_and_midp_is_the_smaller(b: int, c: int) -> None:
    midp, exact = mcnemar(b, c), mcnemar(b, c, method="exact")

    assert 0 < midp <= exact <= 1
    assert mcnemar(c, b) == midp


@settings(max_examples=30, deadline=None)
@given(SMALL, SMALL, SMALL, st.floats(-0.9, 0.9))
def test_melded_p_values_fall_as_the_limit_rises(
    b: int, c: int, rest: int, limit: float
) -> None:
    n = b + c + rest
    assume(n > 0)
    above, higher = (p_change_above(b, c, n, x) for x in (limit, limit + 0.05))

    assert higher <= above + 1e-9
    assert p_change_at_most(b, c, n, limit) == p_change_above(c, b, n, -limit)
    assert above + p_change_at_most(b, c, n, limit) >= 1 - 1e-9


@settings(max_examples=20, deadline=None)
@given(SMALL, SMALL, st.integers(1, 60))
def test_a_melded_bound_lies_above_the_change(b: int, c: int, rest: int) -> None:
    n = b + c + rest

    assert upper_change(b, c, n, 0.05) >= (c - b) / n


@settings(deadline=None)
@given(P_VALUES)
def test_holm_is_never_laxer_than_benjamini_hochberg(p_values: list[float]) -> None:
    by_holm, by_bh = holm(p_values), benjamini_hochberg(p_values)

    assert np.all(by_holm >= by_bh - 1e-15)
    assert np.all(by_bh >= np.array(p_values) - 1e-15)
    assert np.all(by_holm <= 1)


@settings(deadline=None)
@given(P_VALUES)
def test_corrections_do_not_depend_on_order(p_values: list[float]) -> None:
    order = np.arange(len(p_values))[::-1]
    mixed = [p_values[i] for i in order]

    assert np.allclose(holm(mixed), holm(p_values)[order])
    assert np.allclose(benjamini_hochberg(mixed), benjamini_hochberg(p_values)[order])


@settings(deadline=None)
@given(P_VALUES, ALPHA)
def test_levels_prove_what_holm_proves(p_values: list[float], alpha: float) -> None:
    found = levels(p_values, alpha=alpha, correction="holm")
    adjusted = holm(p_values)
    assume(not np.any(np.abs(adjusted - alpha) < 1e-12))

    proven = [p <= level for p, level in zip(p_values, found, strict=True)]

    assert proven == [bool(p <= alpha) for p in adjusted]


@settings(max_examples=25, deadline=None)
@given(st.lists(SMALL, min_size=4, max_size=4))
def test_swapping_the_models_mirrors_the_evidence(counts: list[int]) -> None:
    a, b, c, d = counts
    assume(a + b + c + d > 0)
    forth = FlipTable.of_counts([a, b, c, d], n_examples=None)
    back = FlipTable.of_counts([a, c, b, d])

    nfr, pfr = (
        evidence(table, FLIP_STATISTICS[name]).estimate()
        for table, name in ((forth, "nfr"), (back, "pfr"))
    )

    assert nfr == pfr
    assert mcnemar_p(forth) == mcnemar_p(back)
    change = evidence(forth, FLIP_STATISTICS["accuracy_change"])
    mirrored = evidence(back, FLIP_STATISTICS["accuracy_change"])
    assert np.isclose(change.upper(0.05), -mirrored.lower(0.05))
