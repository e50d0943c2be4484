"""Bounds, p-values and estimates of one number agree with each other."""

import math

import numpy as np
import pytest

from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.intervals.change import (
    lower_change,
    mcnemar,
    p_change_above,
    upper_change,
)
from compat_eval.statistics.intervals.evidence import (
    Divided,
    Evidence,
    Negated,
    Undefined,
    Wider,
    joined,
)
from compat_eval.statistics.intervals.share import ShareEvidence

RNG = np.random.default_rng(1)
CODES = RNG.choice(4, size=800, p=[0.7, 0.08, 0.12, 0.1])
TABLES = {
    "independent": FlipTable.of(CODES, RNG.random(800) < 0.3),
    "clustered": FlipTable.of(
        CODES, RNG.random(800) < 0.3, clusters=np.repeat(np.arange(80), 10)
    ),
    "weighted": FlipTable.of(CODES, RNG.random(800) < 0.3, weights=1 + RNG.random(800)),
}


def share(part: float = 3, whole: float = 200) -> ShareEvidence:
    return ShareEvidence(
        part=part, whole=whole, n=200, examples=200, undefined_when="no units"
    )


@pytest.mark.parametrize("kind", list(TABLES))
@pytest.mark.parametrize("name", list(FLIP_STATISTICS))
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_bounds_and_p_values_agree(kind: str, name: str, alpha: float) -> None:
    found = evidence(TABLES[kind], FLIP_STATISTICS[name])
    high, low = found.upper(alpha), found.lower(alpha)

    assert low <= found.value <= high
    assert found.p_above(high + 1e-9) <= alpha + 1e-12
    assert found.p_above(high - 1e-4) > alpha
    assert found.p_at_most(low - 1e-9) <= alpha + 1e-12
    assert found.p_at_most(low + 1e-4) > alpha


@pytest.mark.parametrize("kind", list(TABLES))
@pytest.mark.parametrize("name", list(FLIP_STATISTICS))
def test_a_smaller_alpha_gives_wider_bounds(kind: str, name: str) -> None:
    found = evidence(TABLES[kind], FLIP_STATISTICS[name])

    assert found.upper(0.01) >= found.upper(0.05) >= found.upper(0.2)
    assert found.lower(0.01) <= found.lower(0.05) <= found.lower(0.2)


@pytest.mark.parametrize("kind", list(TABLES))
def test_negated_is_the_mirror(kind: str) -> None:
    found = evidence(TABLES[kind], FLIP_STATISTICS["accuracy_change"])
    turned = Negated(inner=found)

    assert turned.value == -found.value
    assert turned.upper(0.05) == -found.lower(0.05)
    assert turned.lower(0.05) == -found.upper(0.05)
    assert turned.p_above(0.01) == found.p_at_most(-0.01)
    assert turned.p_at_most(0.01) == found.p_above(-0.01)
    estimate = turned.estimate()
    assert (estimate.low, estimate.high) == (
        -found.estimate().high,
        -found.estimate().low,
    )


def test_divided_scales_everything() -> None:
    found = Divided(inner=share(), by=0.5, name="old accuracy")

    assert found.value == pytest.approx(0.03)
    assert found.upper(0.05) == 2 * share().upper(0.05)
    assert found.lower(0.05) == 2 * share().lower(0.05)
    assert found.p_above(0.08) == share().p_above(0.04)
    assert found.p_at_most(0.01) == share().p_at_most(0.005)
    assert found.estimate().method == "wilson over old accuracy"
    assert found.fresh_examples(0.08, 0.05) == share().fresh_examples(0.04, 0.05)


def test_wider_takes_the_more_careful_of_each() -> None:
    sure, unsure = share(), share(part=0.75, whole=50)
    both = Wider(first=sure, second=unsure)

    assert both.upper(0.05) == unsure.upper(0.05)
    assert both.lower(0.05) == unsure.lower(0.05)
    assert both.p_above(0.05) == unsure.p_above(0.05)
    assert both.p_at_most(0.005) == unsure.p_at_most(0.005)
    assert both.estimate().high == unsure.estimate().high
    assert both.fresh_examples(0.03, 0.05).examples == max(
        one.fresh_examples(0.03, 0.05).examples or 0 for one in (sure, unsure)
    )
    assert both.fresh_examples(0.001, 0.05).examples is None


def test_undefined_proves_nothing() -> None:
    found: Evidence = Undefined(reason="no units were compared")

    assert math.isnan(found.value)
    assert math.isnan(found.upper(0.05))
    assert math.isnan(found.lower(0.05))
    assert found.p_above(0.5) == found.p_at_most(0.5) == 1.0
    assert found.fresh_examples(0.5, 0.05).reason == "no units were compared"
    assert found.estimate().reason == "no units were compared"


def test_a_share_of_nothing_is_undefined() -> None:
    found = share(part=0, whole=0)

    assert math.isnan(found.value)
    assert found.estimate().reason == "no units"
    assert found.fresh_examples(0.1, 0.05).reason == "no units"


def test_fresh_examples_for_both_sides_of_a_share() -> None:
    assert share(0, 200).fresh_examples(0.01, 0.05).examples == 299
    mirrored = share(200, 200).fresh_examples(0.99, 0.05, side="at_least")
    assert mirrored.examples == 299
    none = share(3, 200).fresh_examples(0.01, 0.05)
    assert none.examples is None
    assert none.reason == "the observed value is not below the limit"


def test_fresh_examples_where_few_of_them_are_units() -> None:
    """Of 1,000 examples 100 are errors of new: the errors needed come by chance."""
    errors = ShareEvidence(
        part=20, whole=100, n=100, examples=1000, undefined_when="no error"
    )
    alone = ShareEvidence(
        part=20, whole=100, n=100, examples=100, undefined_when="no error"
    )

    found = errors.fresh_examples(0.4, 0.05)
    units = alone.fresh_examples(0.4, 0.05)

    assert found.examples == pytest.approx(10 * (units.examples or 0), rel=0.15)
    assert found.power >= 0.8


@pytest.mark.parametrize(("b", "c"), [(1, 0), (5, 0), (10, 2), (3, 9), (30, 41)])
def test_melded_bounds_agree_with_the_exact_mcnemar_test(b: int, c: int) -> None:
    less = p_change_above(b, c, 500, 0.0)
    more = p_change_above(c, b, 500, 0.0)

    assert min(1.0, 2 * min(less, more)) == pytest.approx(
        mcnemar(b, c, method="exact"), rel=1e-9
    )


def test_melded_bounds_without_flips_are_not_zero_wide() -> None:
    assert 0 < upper_change(0, 0, 100, 0.05) < 0.05
    assert lower_change(0, 0, 100, 0.05) == -upper_change(0, 0, 100, 0.05)
    # With no flip in n, the share of flips is below 1 − alpha^(1/n).
    assert upper_change(0, 0, 100, 0.05) == pytest.approx(1 - 0.05 ** (1 / 100))


def test_melded_bounds_at_the_ends() -> None:
    assert p_change_above(0, 10, 10, 1.0) == 0.0
    assert p_change_above(10, 0, 10, -1.5) == 1.0
    assert p_change_above(0, 0, 0, 0.5) == 1.0
    assert upper_change(0, 10, 10, 0.05) > 0.99
    assert lower_change(10, 0, 10, 0.05) < -0.99


def test_remarks_are_said_once() -> None:
    assert joined("a", None, "b", "a") == "a; b"
    assert joined(None, None) is None


def test_a_negated_zero_has_no_sign() -> None:
    same = evidence(
        FlipTable.of_counts([8, 0, 0, 2]), FLIP_STATISTICS["accuracy_change"]
    )

    assert str(Negated(inner=same).value) == "0.0"
    assert str(Negated(inner=same).estimate().value) == "0.0"


def test_an_event_in_all_or_none_is_mirrored_for_clusters() -> None:
    all_right = FlipTable.of(
        np.zeros(40, np.int64), clusters=np.repeat(np.arange(8), 5)
    )

    assert evidence(all_right, FLIP_STATISTICS["nfr"]).upper(0.05) == pytest.approx(
        1 - evidence(all_right, FLIP_STATISTICS["btc"]).lower(0.05)
    )
