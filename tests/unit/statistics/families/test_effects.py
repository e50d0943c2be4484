"""What a mitigation takes away: worked examples and laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat_eval.statistics.families.effects import (
    advantage,
    broken_cut,
    fixed_cut,
    gain_kept,
)

FLIPS = np.array([80.0, 10.0, 8.0, 2.0])


@settings(deadline=None)
@given(st.floats(0, 1))
def test_a_return_to_old_at_random_has_no_advantage(share: float) -> None:
    kept, broken, fixed, missed = FLIPS
    gone = np.array([broken, fixed]) * share
    returned = np.array(
        [kept + gone[0], broken - gone[0], fixed - gone[1], missed + gone[1]]
    )
    rows = np.concatenate([FLIPS, returned])

    assert advantage(rows) == pytest.approx(0.0, abs=1e-12)
    assert broken_cut(rows) == pytest.approx(share)
    assert fixed_cut(rows) == pytest.approx(share)


def test_a_gain_is_kept_only_where_there_is_one() -> None:
    gaining = np.array([80.0, 5.0, 10.0, 5.0])

    assert float(gain_kept(np.array([*gaining, 82.0, 3.0, 9.0, 6.0]))) == 1.2
    assert np.isnan(gain_kept(np.array([*FLIPS, *FLIPS])))
