"""How many samples of each kind stay."""

import pytest

from compat_eval.federated.replay.quotas import apportioned, quotas


@pytest.mark.parametrize(
    ("shares", "kinds", "kept"),
    [
        ("free", [0] * 8, [6]),
        ("history", [0] * 5 + [1] * 3, [4, 2]),
        ("period", [0] * 3 + [1] * 2 + [2] * 3, [2, 2, 2]),
    ],
)
def test_each_kind_has_its_share_of_all_samples_there_ever_were(
    shares: str, kinds: list[int], kept: list[int]
) -> None:
    found = quotas(shares, [0] * 3 + [1] * 2 + [2] * 3, [9, 9, 9], 6)  # type: ignore[arg-type]
    assert found.kinds == kinds
    assert found.kept == kept


def test_a_first_period_has_only_new_samples() -> None:
    assert quotas("history", [0] * 9, [9], 4).kept == [0, 4]
    assert quotas("period", [0] * 9, [9], 4).kept == [4]


def test_places_are_shared_out_by_weight_as_far_as_there_are_samples() -> None:
    assert apportioned([100, 300], [99, 99], 10) == [3, 7]
    assert apportioned([1, 1, 1], [9, 9, 9], 20) == [7, 7, 6]
    assert apportioned([1, 1, 1], [2, 9, 9], 12) == [2, 5, 5]
    assert apportioned([1, 1], [2, 3], 99) == [2, 3]
    assert apportioned([0, 1], [5, 2], 4) == [2, 2]
    assert apportioned([], [], 3) == []
