"""Weights and soft labels for estimators with `sample_weight`."""

import numpy as np
import pytest

from compat_eval.core.errors import DataError
from compat_eval.mitigations.integrations.scikit_learn import (
    old_right_weights,
    soft_label_rows,
)


def test_weighted_nats_are_those_of_gold_and_of_old_s_probabilities() -> None:
    rng = np.random.default_rng(0)
    gold, old, own = rng.integers(0, 3, 5), rng.dirichlet([1] * 3, 5), np.eye(3)
    nats = -np.log(rng.dirichlet([1] * 3, 5))

    rows, labels, weights = soft_label_rows(
        gold, old, range(3), alpha=1, beta=5, share=0.5, least=0
    )

    right = old.argmax(axis=1) == gold
    wanted = own[gold] + 0.5 * (1 + 5 * right)[:, None] * old
    assert (weights * nats[rows, labels]).sum() == pytest.approx((wanted * nats).sum())


def test_labels_of_old_alone_are_left_out_and_the_others_sum_to_one() -> None:
    rows, labels, weights = soft_label_rows(
        ["a", "b"], [[0.4, 0.4, 0.2], [0.0, 0.0, 1.0]], ["a", "b", "gone"], beta=0
    )

    assert rows.tolist() == [0, 1, 0, 0]
    assert labels.tolist() == ["a", "b", "a", "b"]
    assert weights.tolist() == [1, 1, 0.5, 0.5]


def test_an_example_whose_label_old_does_not_know_keeps_gold_alone() -> None:
    rows, _, _ = soft_label_rows(["new", "a"], [[1.0], [1.0]], ["a"])

    assert rows.tolist() == [0, 1, 1]


def test_what_does_not_fit_is_told() -> None:
    with pytest.raises(DataError, match=r"shape \(2, 1\)"):
        soft_label_rows(["a", "b"], [[1.0]], ["a"])
    with pytest.raises(DataError, match="none of the labels"):
        soft_label_rows(["a"], [[1.0]], ["b"])
    with pytest.raises(DataError, match="OLD's answers"):
        old_right_weights(["a"], ["a", "b"])
