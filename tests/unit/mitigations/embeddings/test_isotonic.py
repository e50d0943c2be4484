"""Isotonic calibration agrees with scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat_eval.core.errors import UsageError
from compat_eval.mitigations.embeddings.isotonic import fit_isotonic

PAIRS = st.lists(
    st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=2, max_size=30
)


@settings(max_examples=40, deadline=None)
@given(PAIRS)
def test_as_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    isotonic = pytest.importorskip("sklearn.isotonic")
    scores, target = np.array(pairs, dtype=float).T
    theirs = isotonic.IsotonicRegression(out_of_bounds="clip").fit(scores, target)
    asked = np.linspace(-6, 6, 25)

    found = fit_isotonic(scores, target)(asked)

    np.testing.assert_allclose(found, theirs.predict(asked), atol=1e-9)


def test_a_rising_rescaling_is_undone() -> None:
    """So a threshold of the old scores keeps its meaning."""
    old = np.linspace(-1, 1, 50)

    np.testing.assert_allclose(fit_isotonic(old**3 + 4, old)(old**3 + 4), old)


def test_scores_must_be_paired() -> None:
    with pytest.raises(UsageError, match="3 scores were paired with 2"):
        fit_isotonic(np.ones(3), np.ones(2))
