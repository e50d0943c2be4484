"""Orders of a backfill, and indices that are half done."""

import numpy as np
import pytest

from compat_eval.core.arrays import Rows
from compat_eval.core.errors import DataError, UsageError
from compat_eval.mitigations.embeddings.adapter import fit_adapter
from compat_eval.mitigations.embeddings.backfill import (
    far_from_class_first,
    mixed_index,
    popular_first,
    predicted_errors,
    random_order,
    uncertain_first,
)
from compat_eval.mitigations.embeddings.pairs import VectorPairs
from compat_eval.mitigations.embeddings.ridge import fit_ridge
from compat_eval.vectors.vectors import Vectors

IDS = ["a", "b", "c", "d"]


def index(value: float, model: str = "new") -> Vectors:
    return Vectors.of(IDS, np.full((4, 2), value), model=model, normalised=False)


def test_orders_by_hand_and_ties_stay() -> None:
    assert uncertain_first(np.array([1.0, 3, 1, 2])).tolist() == [1, 3, 0, 2]
    assert popular_first(np.array([0.0, 0, 5, 0])).tolist() == [2, 0, 1, 3]


def test_the_farthest_from_its_class_is_first() -> None:
    """Class a has mean 2, b has 7: distances 2, 1, 3, 0."""
    rows = np.array([[0.0], [1.0], [5.0], [7.0]])

    assert far_from_class_first(rows, np.array(list("aaab"))).tolist() == [2, 0, 1, 3]


def test_the_random_order_follows_from_its_seed() -> None:
    assert sorted(random_order(9, seed=1)) == list(range(9))
    np.testing.assert_array_equal(random_order(9, seed=1), random_order(9, seed=1))


@pytest.mark.parametrize(
    ("share", "anew"), [(0.0, ""), (0.49, "c"), (0.5, "ca"), (1.0, "cabd")]
)
def test_the_first_of_the_order_are_new(share: float, anew: str) -> None:
    order = np.array([2, 0, 1, 3])

    mixed = mixed_index(index(1.0), index(2.0), order, share)

    found = {one for one, row in zip(IDS, mixed.values, strict=True) if row[0] == 2}
    assert found == set(anew)


def test_what_is_served_now_stays_as_it_is() -> None:
    old = index(1.0)
    mixed_index(old, index(2.0), np.arange(4), 1.0)

    assert (old.values == 1.0).all()


def test_generations_of_different_models_are_mixed_only_on_purpose() -> None:
    old = index(1.0, "old")

    with pytest.raises(DataError, match="not the same space"):
        mixed_index(old, index(2.0), np.arange(4), 0.5)
    mixed_index(old, index(2.0), np.arange(4), 0.5, across=True)


def test_an_order_names_each_row_once() -> None:
    with pytest.raises(UsageError, match="once"):
        mixed_index(index(1.0), index(2.0), np.array([0, 0, 1, 2]), 0.5)


def test_an_order_needs_a_number_of_each() -> None:
    with pytest.raises(UsageError, match="finite"):
        uncertain_first(np.array([1.0, np.nan]))


def test_errors_of_a_map_are_expected_where_they_were() -> None:
    """Squared noise has slope 2 of the first coordinate; the fit is off a little."""
    rng = np.random.default_rng(0)
    source = rng.normal(size=(2000, 3))
    noise = rng.normal(size=(2000, 3)) * np.exp(source[:, :1])
    ids = [str(at) for at in range(2000)]
    inputs = {one: f"text {one}" for one in ids}

    def side(values: Rows, model: str) -> Vectors:
        return Vectors.of(ids, values, model=model, normalised=False)

    pairs = VectorPairs.of(side(source, "old"), side(source + noise, "new"), inputs)
    found = predicted_errors(
        fit_adapter(pairs, fit_ridge), pairs, np.array([[-1.0, 0, 0], [1, 0, 0]])
    )

    assert np.log(found[1] / found[0]) == pytest.approx(4.0, abs=0.6)
