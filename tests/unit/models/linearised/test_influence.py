import numpy as np
import pytest

from compat_eval.models.linearised.influence import traced
from compat_eval.models.linearised.ridge import RidgeHead


def test_the_lead_without_an_example_is_that_of_a_training_without_it() -> None:
    rng = np.random.default_rng(0)
    rows, gold = np.c_[rng.normal(size=(30, 3)), np.ones(30)], rng.integers(0, 3, 30)

    def made(keep: slice | np.ndarray) -> RidgeHead:
        return RidgeHead(
            rows=rows[keep], gold=gold[keep], n_labels=3, ridge=0.5, weight=6.0
        )

    whole = made(slice(None))
    at = np.array([0.4, -1.0, 0.3, 1.0])
    found = traced(whole, whole.solution(), at, right=2, answered=0, most=30)

    for row, without in zip(found.rows, found.without, strict=True):
        less = made(np.arange(30) != row).solution()
        assert without == pytest.approx(at @ (less[:, 2] - less[:, 0]))
    assert (np.diff(found.added) >= 0).all()


def test_a_mislabelled_twin_is_the_first_cause() -> None:
    rng = np.random.default_rng(1)
    side = np.repeat([[-3.0, 0.0], [3.0, 0.0]], 20, axis=0)
    rows = np.c_[side + rng.normal(size=(40, 2)), np.ones(40)]
    gold = np.repeat([0, 1], 20)
    gold[5] = 1
    rows[5] = [-3.0, 8.0, 1.0]  # alone in its corner
    whole = RidgeHead(rows=rows, gold=gold, n_labels=2, ridge=0.1)

    found = traced(whole, whole.solution(), rows[5], right=0, answered=1, most=2)

    assert found.rows[0] == 5
    assert found.lead < 0 < found.without[0]
