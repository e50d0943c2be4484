"""The change in accuracy of two models on the same units: interval, bounds and test."""

import math

import pytest
from scipy.stats import binom
from statsmodels.stats.contingency_tables import mcnemar as reference
from statsmodels.stats.proportion import confint_proportions_2indep

from compat_eval.statistics.intervals.change import ChangeEvidence, mcnemar, newcombe


def found(a: float, b: float, c: float, d: float) -> ChangeEvidence:
    n = int(a + b + c + d)
    return ChangeEvidence(
        kept=a, broken=b, fixed=c, missed=d, n=n, examples=n, undefined_when="no units"
    )


def test_of_nothing_nothing_is_known() -> None:
    nothing = found(0, 0, 0, 0)

    assert math.isnan(nothing.value)
    assert nothing.estimate().reason == "no units"
    assert nothing.p_above(0.0) == 1.0
    assert nothing.fresh_examples(0.1, 0.05).reason == "no units"


def test_fresh_examples_where_nothing_strays() -> None:
    fresh = found(100, 0, 0, 0).fresh_examples(-0.1, 0.05, side="at_least")

    assert fresh.examples == 29  # 0.9 ** 29 <= 0.05
    assert fresh.power == 1.0


def test_fresh_examples_where_no_number_helps() -> None:
    fresh = found(90, 5, 3, 2).fresh_examples(0.0, 0.05, side="at_least")

    assert fresh.examples is None
    assert fresh.reason == "the observed value is not above the limit"


def test_fresh_examples_beyond_reach() -> None:
    fresh = found(900, 50, 50, 0).fresh_examples(1e-7, 0.05)

    assert fresh.examples is None
    assert "billion" in str(fresh.reason)


def test_bounds_mirror_each_other() -> None:
    assert found(50, 3, 9, 38).upper(0.05) == -found(50, 9, 3, 38).lower(0.05)
    assert found(50, 3, 9, 38).p_above(0.1) == found(50, 9, 3, 38).p_at_most(-0.1)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        # Altman et al., Statistics with Confidence, 2000, table 6.2.
        ((14, 0, 5, 22), (0.011, 0.226)),
        # Bentur et al. 2009 in Fagerland, Lydersen and Laake, 2014, table V.
        ((1, 7, 1, 12), (-0.507, -0.026)),
    ],
)
def test_newcombe_as_published(
    table: tuple[int, int, int, int], expected: tuple[float, float]
) -> None:
    low, high = newcombe(*table)

    assert (round(low, 3), round(high, 3)) == expected


def test_newcombe_swaps_with_its_models() -> None:
    low, high = newcombe(50, 7, 12, 31)
    mirrored = newcombe(50, 12, 7, 31)

    assert mirrored == pytest.approx((-high, -low))


def test_without_flips_the_interval_still_has_a_width() -> None:
    low, high = newcombe(20, 0, 0, 0)

    assert low < 0 < high


def test_an_agreeing_table_is_narrower_than_unpaired() -> None:
    low, high = newcombe(450, 10, 20, 20)
    apart = confint_proportions_2indep(470, 500, 460, 500, method="newcomb")

    assert high - low < apart[1] - apart[0]


def test_newcombe_of_nothing() -> None:
    assert all(math.isnan(end) for end in newcombe(0, 0, 0, 0))


@pytest.mark.parametrize(
    ("broken", "fixed", "exact"),
    [(1, 0, 1.0), (5, 0, 0.0625), (10, 2, 0.03857), (0, 0, 1.0)],
)
def test_exact_mcnemar_of_the_specification(
    broken: int, fixed: int, exact: float
) -> None:
    assert mcnemar(broken, fixed, method="exact") == pytest.approx(exact, abs=5e-6)


def test_midp_mcnemar_of_the_specification() -> None:
    assert mcnemar(5, 0) == 0.03125
    assert mcnemar(0, 0) == 1.0


@pytest.mark.parametrize(("b", "c"), [(1, 0), (3, 3), (10, 2), (40, 60)])
def test_exact_mcnemar_agrees_with_statsmodels(b: int, c: int) -> None:
    expected = reference([[50, b], [c, 30]], exact=True).pvalue

    assert mcnemar(b, c, method="exact") == pytest.approx(expected)


@pytest.mark.parametrize(("b", "c"), [(1, 0), (3, 3), (10, 2), (40, 60)])
def test_midp_is_exact_less_half_of_what_was_seen(b: int, c: int) -> None:
    expected = mcnemar(b, c, method="exact") - binom.pmf(min(b, c), b + c, 0.5)
    if b == c:
        expected = 1.0

    assert mcnemar(b, c) == pytest.approx(expected)


def test_mcnemar_does_not_depend_on_the_side() -> None:
    assert mcnemar(3, 9) == mcnemar(9, 3)


def test_p_is_never_zero_for_one_sided_flips() -> None:
    """Some tools report p = 0 for 1–0 or 5–0 from a standard error of zero."""
    assert mcnemar(1, 0) == 0.5
    assert mcnemar(0, 1, method="exact") == 1.0
