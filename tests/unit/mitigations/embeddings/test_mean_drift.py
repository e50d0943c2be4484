"""The drift of the mean query."""

import numpy as np
import pytest

from compat_eval.core.errors import UsageError
from compat_eval.mitigations.embeddings.mean_drift import fit_mean_drift

OLD = np.random.default_rng(0).normal(size=(20, 3))


def test_queries_that_moved_by_one_offset_are_recovered() -> None:
    new = OLD + np.array([0.5, -2.0, 1.0])

    np.testing.assert_allclose(fit_mean_drift(new, OLD)(new), OLD)


def test_drifts_of_several_updates_add() -> None:
    middle, new = OLD + 1.0, OLD - 3.0
    both = fit_mean_drift(new, middle).then(fit_mean_drift(middle, OLD))

    np.testing.assert_allclose(both.drift, fit_mean_drift(new, OLD).drift)


def test_other_dimensions_are_refused() -> None:
    with pytest.raises(UsageError, match="do not differ by an offset"):
        fit_mean_drift(OLD, OLD[:, :2])
