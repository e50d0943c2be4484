"""Evidence about a change in accuracy, where it has little to say."""

import math

from compat_eval.statistics.intervals.change import ChangeEvidence


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
