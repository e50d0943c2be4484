import math

import pytest

from compat_eval.core.errors import UsageError
from compat_eval.mitigations.choosing import Tried, chosen


def tried(setting: float, nfi: float, *lows: float) -> Tried:
    levels = ["ucm", "las"][: len(lows)]
    return Tried(
        setting={"weight": setting},
        nfi=dict.fromkeys(levels, nfi),
        accuracy_low=dict(zip(levels, lows, strict=True)),
    )


def test_the_lowest_nfi_wins_among_those_that_lose_nothing() -> None:
    settings = [
        tried(0.3, 0.20, 0.01, 0.0),
        tried(0.6, 0.15, 0.0, 0.0),
        tried(0.8, 0.05, 0.01, -0.001),
    ]

    assert chosen(settings).setting == {"weight": 0.6}


def test_delta_allows_a_loss_at_every_level() -> None:
    settings = [tried(0.3, 0.20, 0.01, 0.0), tried(0.8, 0.05, 0.01, -0.001)]

    assert chosen(settings, delta=0.001).setting == {"weight": 0.8}


def test_where_all_lose_too_much_the_one_that_loses_least_is_chosen() -> None:
    settings = [tried(0.3, 0.20, 0.01, -0.02), tried(0.8, 0.05, -0.01, -0.01)]

    assert chosen(settings).setting == {"weight": 0.8}


def test_of_equals_the_mildest_wins() -> None:
    assert chosen([tried(0.1, 0.2, 0.0), tried(0.2, 0.2, 0.0)]).setting == {
        "weight": 0.1
    }


def test_an_undefined_nfi_is_never_the_lowest() -> None:
    assert chosen([tried(0.1, math.nan, 0.0), tried(0.2, 0.9, 0.0)]).setting == {
        "weight": 0.2
    }


def test_nothing_to_choose_from_and_negative_losses_are_errors() -> None:
    with pytest.raises(UsageError, match="no setting was tried"):
        chosen([])
    with pytest.raises(UsageError, match=r"at least 0, got -0\.1"):
        chosen([tried(0.1, 0.2, 0.0)], delta=-0.1)
