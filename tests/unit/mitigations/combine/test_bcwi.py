from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat_eval.core.errors import ModelError
from compat_eval.mitigations.combine.bcwi import weight_interpolation
from compat_eval.mitigations.combine.soup import soup as model_soup
from compat_eval.mitigations.mitigation import Cost
from tests.unit.mitigations.toy_linear import linear

bcwi: Any = weight_interpolation
soup: Any = model_soup
POINTS: Any = np.random.default_rng(0).normal(size=(20, 4))


@settings(deadline=None, max_examples=25)
@given(st.floats(0, 1), st.integers(0, 50))
def test_of_a_linear_model_it_interpolates_the_logits(share: float, seed: int) -> None:
    old, new = linear(seed), linear(seed + 1)

    found = bcwi(old, new, weight=share)

    expected = share * old.logits(POINTS) + (1 - share) * new.logits(POINTS)
    np.testing.assert_allclose(found.logits(POINTS), expected)


def test_the_ends_are_new_and_old() -> None:
    old, new = linear(1), linear(2)

    for share, end in ((0.0, new), (1.0, old)):
        found = bcwi(old, new, weight=share)
        assert {k: v.tolist() for k, v in found.weights.items()} == {
            k: v.tolist() for k, v in end.weights.items()
        }


def test_rows_of_labels_that_only_new_has_are_news() -> None:
    old, new = linear(1, labels=("b", "a")), linear(2)

    found = bcwi(old, new, weight=0.5)

    np.testing.assert_array_equal(found.rows[2], new.rows[2])
    np.testing.assert_allclose(found.rows[0], (old.rows[1] + new.rows[0]) / 2)
    assert found.labels == new.labels


def test_further_new_models_are_averaged_first() -> None:
    old, new, other = linear(1), linear(2), linear(3)

    found = bcwi(old, new, weight=0.25, with_=[other])

    expected = 0.25 * old.rows + 0.75 * (new.rows + other.rows) / 2
    np.testing.assert_allclose(found.rows, expected)
    assert bcwi(old, new, weight=0.0, with_=[other]).rows.tolist() == (
        soup(old, new, with_=[other]).rows.tolist()
    )


def test_one_model_answers() -> None:
    assert bcwi.cost is not None
    assert bcwi.cost(bcwi.settings(weight=0.5), 3) == Cost(old_passes=0, new_passes=1)
    assert bcwi.one_model


def test_another_size_is_refused() -> None:
    with pytest.raises(ModelError, match="bcwi: OLD differs from NEW in the shapes"):
        bcwi(linear(1, width=3), linear(2), weight=0.5)
