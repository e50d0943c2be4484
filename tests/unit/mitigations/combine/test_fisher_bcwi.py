from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from compat_eval.core.arrays import Array
from compat_eval.core.errors import CapabilityError, UsageError
from compat_eval.mitigations.combine.bcwi import weight_interpolation
from compat_eval.mitigations.combine.fisher_bcwi import (
    Importance,
    fisher_interpolation,
)
from tests.unit.mitigations.toy_linear import ToyLinear, linear

fisher: Any = fisher_interpolation
bcwi: Any = weight_interpolation


@dataclass(frozen=True)
class Informed(ToyLinear):
    def fisher(self, items: Sequence[Any], gold: Sequence[str]) -> Mapping[str, Array]:
        return {}


def informed(seed: int, labels: tuple[str, ...] = ("a", "b", "c")) -> Informed:
    plain = linear(seed, labels)
    return Informed(plain.rows, plain.bias, plain.labels)


def importance(rows: Array, bias: Array) -> Importance:
    return Importance({"rows": rows, "bias": bias, "seen": np.array(0.0)})


def test_it_is_the_papers_formula_with_importance_by_label() -> None:
    old, new = informed(1, labels=("b", "a")), informed(2)
    told = np.full((2, 4), 3.0)
    told[1] = 1.0  # of a

    found = fisher(old, new, weight=0.5, importance=importance(told, told[:, 0]))

    np.testing.assert_allclose(found.rows[0], (old.rows[1] + new.rows[0]) / 2)
    np.testing.assert_allclose(found.rows[1], (3 * old.rows[0] + new.rows[1]) / 4)
    np.testing.assert_array_equal(found.rows[2], new.rows[2])


def test_the_ends_are_new_and_old_and_equal_importance_is_bcwi() -> None:
    old, new = informed(1), informed(2)
    ones = importance(np.ones((3, 4)), np.ones(3))

    assert fisher(old, new, weight=0.0, importance=ones).rows.tolist() == (
        new.rows.tolist()
    )
    assert fisher(old, new, weight=1.0, importance=ones).rows.tolist() == (
        old.rows.tolist()
    )
    np.testing.assert_allclose(
        fisher(old, new, weight=0.3, importance=ones).rows,
        bcwi(old, new, weight=0.3).rows,
    )


def test_importance_is_told_apart_by_what_it_holds() -> None:
    one, same = (importance(np.ones((3, 4)), np.ones(3)) for _ in range(2))

    assert one.told == same.told
    assert one.told != importance(np.ones((3, 4)), np.zeros(3)).told


def test_what_it_needs_is_told() -> None:
    with pytest.raises(CapabilityError, match="OLD to have the capability GivesFisher"):
        fisher(linear(1), linear(2), weight=0.5, importance=Importance({}))
    with pytest.raises(UsageError, match="importance is estimated on dev"):
        fisher(informed(1), informed(2), weight=0.5)
