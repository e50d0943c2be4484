"""Holm and Benjamini–Hochberg against statsmodels."""

from collections.abc import Callable

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from compat_eval.core.arrays import Values
from compat_eval.statistics.multiplicity import benjamini_hochberg, holm

LISTS = [[0.01, 0.04, 0.03], [0.5], [1.0, 1.0, 0.0], [0.02, 0.02, 0.02, 0.9], []]


@pytest.mark.parametrize("p_values", LISTS)
@pytest.mark.parametrize(
    ("ours", "theirs"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")]
)
def test_adjusted_as_statsmodels_does(
    ours: Callable[[list[float]], Values], theirs: str, p_values: list[float]
) -> None:
    expected = multipletests(p_values, method=theirs)[1] if p_values else np.array([])

    assert ours(p_values).tolist() == pytest.approx(expected.tolist())


def test_random_families_agree_with_statsmodels() -> None:
    rng = np.random.default_rng(5)
    for size in (2, 7, 30):
        p_values = rng.random(size) ** 3

        assert holm(p_values) == pytest.approx(
            multipletests(p_values, method="holm")[1]
        )
        assert benjamini_hochberg(p_values) == pytest.approx(
            multipletests(p_values, method="fdr_bh")[1]
        )


@pytest.mark.parametrize("bad", [[0.5, 1.5], [-0.1], [float("nan")], [[0.1, 0.2]]])
def test_what_is_no_p_value_is_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="p-values must be"):
        holm(bad)
