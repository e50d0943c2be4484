from itertools import pairwise

import numpy as np
import pytest

from compat_eval.core.arrays import Ints, Values
from compat_eval.core.errors import DataError
from compat_eval.models.linearised.ridge import RidgeHead


def drawn(seed: int = 0, n: int = 40) -> tuple[Values, Ints]:
    rng = np.random.default_rng(seed)
    rows = np.c_[rng.normal(size=(n, 4)), np.ones(n)]
    return rows, rng.integers(0, 3, n)


def head_of(
    rows: Values, gold: Ints, *, weight: float = 1.0, target: float = 1.0
) -> RidgeHead:
    return RidgeHead(
        rows=rows, gold=gold, n_labels=3, ridge=0.3, weight=weight, target=target
    )


def test_the_worked_example_of_a_ridge() -> None:
    # Targets less f₀ = .5 are −.5, .5, 2.5 : any column of a head is such a ridge.
    x = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    y = np.array([0.0, 1.0, 3.0]) - 0.5
    loss = RidgeHead(rows=x, gold=np.zeros(3, np.int64), n_labels=1, ridge=0.1)
    d = loss.inverse(0, (x.T @ y)[:, None])[:, 0]
    leverage = np.einsum("np,pn->n", x, loss.inverse(0, x.T))

    left_out = (y - x @ d) / (1 - leverage)

    assert d == pytest.approx([-0.550661, 1.402349], abs=1e-6)
    assert left_out == pytest.approx([0.201754, -0.519523, 1.278626], abs=1e-6)


@pytest.mark.parametrize("weight", [1.0, 15.0])
def test_it_is_scikit_learns_ridge_with_weights(weight: float) -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    rows, gold = drawn()

    found = head_of(rows, gold, weight=weight, target=2.0).solution()

    for label in range(3):
        peer = linear.Ridge(alpha=0.3, fit_intercept=False).fit(
            rows, 2.0 * (gold == label), np.where(gold == label, weight, 1.0)
        )
        assert found[:, label] == pytest.approx(peer.coef_, abs=1e-9)


@pytest.mark.parametrize("weight", [1.0, 15.0])
def test_leaving_one_out_is_training_without_it(weight: float) -> None:
    rows, gold = drawn()
    whole = head_of(rows, gold, weight=weight)
    head = whole.solution()
    elsewhere = np.array([0.5, -1.0, 2.0, 0.1, 1.0])

    for one in (0, 7, 39):
        rest = np.arange(len(gold)) != one
        less = head_of(rows[rest], gold[rest], weight=weight).solution()
        for label in range(3):
            assert whole.without_each(label, head)[one] == pytest.approx(
                rows[one] @ less[:, label]
            )
            assert whole.influence(elsewhere, label, head)[one] == pytest.approx(
                elsewhere @ (head - less)[:, label]
            )


def test_accuracy_of_leaving_one_out_is_that_of_all_trainings_without_one() -> None:
    rows, gold = drawn()
    whole = head_of(rows, gold, weight=5.0)
    right = []
    for one in range(len(gold)):
        rest = np.arange(len(gold)) != one
        less = head_of(rows[rest], gold[rest], weight=5.0).solution()
        right.append((rows[one] @ less).argmax() == gold[one])

    assert whole.accuracy_without_each(whole.solution()) == np.mean(right)


def test_a_stronger_ridge_is_nearer_to_its_centre() -> None:
    rows, gold = drawn()
    centre = np.full((5, 3), 2.0)
    far = [
        np.linalg.norm(
            RidgeHead(
                rows=rows, gold=gold, n_labels=3, ridge=ridge, centre=centre
            ).solution()
            - centre
        )
        for ridge in (0.1, 10.0, 1e3, 1e6)
    ]

    assert all(b < a for a, b in pairwise(far))
    assert far[-1] < 1e-3


def test_order_of_examples_changes_nothing() -> None:
    rows, gold = drawn()
    order = np.random.default_rng(1).permutation(len(gold))

    assert head_of(rows, gold, weight=9.0).solution() == pytest.approx(
        head_of(rows[order], gold[order], weight=9.0).solution(), abs=1e-9
    )


def test_features_that_are_not_finite_are_told() -> None:
    rows, gold = drawn()
    rows[3, 1] = np.nan

    with pytest.raises(DataError, match="not finite"):
        head_of(rows, gold)
