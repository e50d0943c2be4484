import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax

from compat_eval.mitigations.combine.calibrating import (
    fitted_offset,
    fitted_temperature,
)


@settings(deadline=None, max_examples=15)
@given(st.floats(0.2, 5.0), st.integers(0, 20))
def test_logits_that_were_multiplied_get_their_factor(factor: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(400, 4)) * 2
    told = log_softmax(logits, axis=1)
    gold = np.array([rng.choice(4, p=np.exp(row)) for row in told])

    plain, scaled = (fitted_temperature(f * logits, gold) for f in (1.0, factor))

    assert scaled == pytest.approx(plain * factor, rel=2e-3)


def test_what_has_no_gold_among_the_labels_or_no_logits_does_not_count() -> None:
    logits = np.log([[0.9, 0.1]] * 5 + [[0.5, 0.5], [0.9, 0.1]])
    logits[5] = np.nan
    gold = np.array([0, 0, 0, 0, 1, 0, -1])

    assert fitted_temperature(logits, gold) == 1.585
    assert fitted_temperature(logits[5:], gold[5:]) == 1.0


def test_the_offset_has_most_examples_right_and_is_near_0() -> None:
    only_new = np.array([False, False, True])
    scores = np.array([[1.0, 0.0, 3.0], [0.0, 2.0, 4.5], [0.0, 1.0, 6.0]])

    # Right are, below −5, the first two; up to −2.5 and above, one fewer and more.
    found = fitted_offset(scores, np.array([0, 1, 2]), only_new)

    assert found == pytest.approx(-3.75)
    assert fitted_offset(scores, np.array([2, 2, 2]), only_new) == 0.0


def test_without_new_labels_there_is_no_offset() -> None:
    scores = np.zeros((2, 2))

    assert fitted_offset(scores, np.array([0, 1]), np.array([False, False])) == 0.0


def test_an_offset_lies_between_two_leads_never_on_one() -> None:
    only_new = np.array([False, True])
    scores = np.array([[0.0, 1.0]] * 3 + [[0.0, 2.0]])

    found = fitted_offset(scores, np.array([0, 0, 0, 1]), only_new)

    assert -2.0 < found < -1.0
