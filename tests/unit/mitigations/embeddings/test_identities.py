"""Identities of an index that holds two generations of vectors."""

import numpy as np
import pytest

from compat_eval.comparison.index_decision.generation import IndexGeneration
from compat_eval.core.arrays import Rows
from compat_eval.core.errors import UsageError
from compat_eval.mitigations.embeddings.identities import (
    centroids_of,
    identities,
)
from compat_eval.vectors.vectors import Vectors

LABELS = np.repeat([f"p{at}" for at in range(20)], 6)
HALF = np.arange(120) % 2 == 0


def items(rows: Rows, model: str) -> Vectors:
    names = [f"d{at}" for at in range(len(rows))]
    return Vectors.of(names, rows, model=model, normalised=False)


def people(noise: float, seed: int) -> Rows:
    """Each person is a direction of 20, and each item is near its person's."""
    rng = np.random.default_rng(seed)
    return np.repeat(np.eye(20), 6, axis=0) + noise * rng.normal(size=(120, 20))


CENTROIDS = centroids_of(items(people(0.1, 0), "old"), LABELS)


def test_centroids_are_means_by_identity() -> None:
    rows = np.array([[1.0, 0], [3, 0], [0, 2]])

    found = centroids_of(items(rows, "old"), np.array(["b", "b", "a"]))

    assert found.ids.to_pylist() == ["a", "b"]
    assert found.values.tolist() == [[0, 2], [2, 0]]


def test_a_compatible_generation_keeps_identities_and_an_independent_one_does_not() -> (
    None
):
    old, turned = people(0.1, 1), np.roll(people(0.1, 2), 1, axis=1)

    kept = identities(
        CENTROIDS, items(old, "old"), items(people(0.1, 2), "new"), LABELS, anew=HALF
    )
    apart = identities(
        CENTROIDS, items(old, "old"), items(turned, "new"), LABELS, anew=HALF
    )

    assert [one.f1.value for one in kept] == [1.0, 1.0, 1.0]
    assert [one.changed for one in apart] == [0.0, 1.0, 0.5]
    assert apart[1].f1.value == 1.0  # all of a person's items move together
    assert apart[2].f1.value == pytest.approx(0.4)


def test_a_mixed_index_of_two_halves_by_hand() -> None:
    """Of 15 pairs of a person 6 stay; of 15 pairs in a cluster 6 are one person's."""
    old, turned = people(0, 1), np.roll(people(0, 2), 1, axis=1)

    mixed = identities(
        CENTROIDS, items(old, "old"), items(turned, "new"), LABELS, anew=HALF
    )[2]

    assert mixed.f1.value == pytest.approx(2 * 6 / (15 + 15))
    assert mixed.change.value == pytest.approx(-0.6)


def test_identities_are_read_back_as_they_were() -> None:
    noisy = items(people(0.6, 3), "new")
    for one in identities(
        CENTROIDS, items(people(0.5, 1), "old"), noisy, LABELS, anew=HALF
    ):
        assert IndexGeneration.from_dict(one.to_dict()) == one
        assert one.f1.low <= one.f1.value <= one.f1.high or np.isnan(one.f1.low)


def test_generations_hold_the_same_items() -> None:
    old = items(people(0, 1), "old")

    with pytest.raises(UsageError, match="same items"):
        identities(CENTROIDS, old, items(people(0, 1)[:5], "new"), LABELS, anew=HALF)
