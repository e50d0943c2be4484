from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compat_eval.core.errors import CapabilityError, ModelError
from compat_eval.mitigations.combine.weights import (
    aligned,
    averaged,
    interpolated,
    weighted,
)
from tests.fakes import FakeModel
from tests.unit.mitigations.toy_linear import ToyLinear, linear


def test_rows_are_matched_by_label_not_by_number() -> None:
    new = linear(1)
    shuffled = ToyLinear(new.rows[[2, 0, 1]], new.bias[[2, 0, 1]], ("c", "a", "b"))

    weights, known = aligned(shuffled, new)

    np.testing.assert_array_equal(weights["rows"], new.rows)
    np.testing.assert_array_equal(weights["bias"], new.bias)
    assert known["rows"].all()


def test_importance_draws_single_numbers_to_old() -> None:
    old: Any = {"w": np.array([1.0, 1.0, 1.0])}, {}
    new = {"w": np.array([3.0, 3.0, 3.0])}

    found = interpolated(old, new, 0.5, importance={"w": np.array([0.0, 1.0, 3.0])})

    # (.5·F·1 + .5·3) / (.5·F + .5) with F = 0, 1 and 3
    np.testing.assert_allclose(found["w"], [3.0, 2.0, 1.5])


def test_nothing_that_counts_is_averaged() -> None:
    found = averaged([linear(1), linear(2)])

    assert found["seen"] == 7


def test_a_row_that_some_lack_is_the_mean_of_those_that_have_it() -> None:
    first, second = linear(1), linear(2, labels=("a", "b"))

    found = averaged([first, second])

    np.testing.assert_allclose(found["rows"][2], first.rows[2])
    np.testing.assert_allclose(found["rows"][:2], (first.rows[:2] + second.rows) / 2)


def test_what_cannot_be_interpolated_is_refused_with_what_would_work() -> None:
    new = linear(1)

    with pytest.raises(CapabilityError, match="OLD to have the capability HasWeights"):
        weighted(FakeModel({}), new, "bcwi", "OLD")
    with pytest.raises(ModelError, match=r"differs from NEW in vocabulary.*mix and"):
        weighted(replace(new, vocabulary="words"), new, "bcwi", "OLD")
    with pytest.raises(ModelError, match="the shapes of rows"):
        weighted(linear(2, width=5), new, "bcwi", "OLD")
    with pytest.raises(ModelError, match="no label in common"):
        weighted(linear(2, labels=("x", "y")), new, "bcwi", "OLD")
