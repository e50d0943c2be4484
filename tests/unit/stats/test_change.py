"""Evidence about a change in accuracy, where it has little to say."""

import math

from compat_eval.stats.change import ChangeEvidence


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
    assert nothing.further_examples(0.1, 0.05) == (None, "no units")


def test_further_examples_where_none_are_needed() -> None:
    assert found(90, 0, 10, 0).further_examples(-0.1, 0.05, side="at_least") == (
        0,
        None,
    )


def test_further_examples_where_no_number_helps() -> None:
    number, reason = found(90, 5, 3, 2).further_examples(0.0, 0.05, side="at_least")

    assert number is None
    assert reason == "the observed -0.02 is not above the limit 0"


def test_further_examples_beyond_reach() -> None:
    number, reason = found(900, 50, 50, 0).further_examples(1e-7, 0.05)

    assert number is None
    assert "billion" in str(reason)


def test_bounds_mirror_each_other() -> None:
    assert found(50, 3, 9, 38).upper(0.05) == -found(50, 9, 3, 38).lower(0.05)
    assert found(50, 3, 9, 38).p_above(0.1) == found(50, 9, 3, 38).p_at_most(-0.1)
