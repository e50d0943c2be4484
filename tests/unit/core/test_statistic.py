"""A statistic of a role becomes three of an update: old's value, new's, the change."""

import math

import numpy as np
import pytest

from compat_eval.core.arrays import Rows, Values
from compat_eval.core.statistic import (
    AbsoluteSum,
    NoInterval,
    Resampled,
    Share,
    Statistic,
)


def mean(rows: Rows) -> Values:
    return np.asarray(rows[..., 0] / rows[..., 1])


SHARE = Statistic(
    name="answered",
    value=mean,
    better="higher",
    description="",
    unit="fraction",
    ends=(0.0, 1.0),
)
BOTH = np.array([1.0, 4.0, 3.0, 4.0])


def test_its_columns_are_those_of_old_and_then_of_new() -> None:
    old, new, change = SHARE.of_old(), SHARE.of_new(), SHARE.change()

    assert [one.name for one in (old, new, change)] == [
        "answered_old",
        "answered_new",
        "answered_change",
    ]
    assert [float(one.value(BOTH)) for one in (old, new, change)] == [0.25, 0.75, 0.5]
    assert (old.roles, new.roles, change.roles) == (("old",), ("new",), ("old", "new"))
    assert {one.base for one in (old, new, change)} == {"answered"}


def test_the_change_of_a_fraction_is_in_points_and_has_two_ends() -> None:
    change = SHARE.change()

    assert (change.unit, change.ends, change.of_itself) == ("points", (-1.0, 1.0), 0.0)
    assert change.change_of == "answered"


def test_a_relative_change_is_over_the_size_of_olds_value() -> None:
    relative = SHARE.change().relative
    assert relative is not None
    stacked = np.array([BOTH, [0.0, 4.0, 1.0, 4.0], [-2.0, 4.0, -1.0, 4.0]])

    assert relative.value(stacked)[[0, 2]].tolist() == [2.0, 0.5]
    assert math.isnan(relative.value(stacked)[1])


def test_a_sum_of_absolute_values_keeps_its_bounds_but_has_no_relative_ones() -> None:
    gap = Statistic(
        name="gap",
        value=lambda rows: np.abs(rows).sum(axis=-1),
        better="lower",
        description="",
        interval=AbsoluteSum(terms=lambda rows: rows),
    )
    old, change = gap.of_old().interval, gap.change()

    assert isinstance(old, AbsoluteSum)
    assert isinstance(change.interval, AbsoluteSum)
    assert (old.old, old.new) == (1, 0)
    assert (change.interval.old, change.interval.new) == (-1, 1)
    assert change.relative is not None
    assert isinstance(change.relative.interval, NoInterval)


def test_the_kind_of_interval_says_what_it_is_a_function_of() -> None:
    counted = Statistic(
        name="broken",
        value=mean,
        better="lower",
        description="",
        of="update",
        interval=Share(part=(1,), whole=(0, 1)),
    )

    assert counted.of_cells
    assert counted.is_ratio_of_sums
    assert not SHARE.of_cells
    assert isinstance(SHARE.interval, Resampled)
    with pytest.raises(TypeError, match="of counted cells"):
        counted.rows(None, None)  # type: ignore[arg-type]
