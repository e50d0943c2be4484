import math
from typing import Any

import pytest

from compat_eval.core.estimate import Estimate
from compat_eval.report.numbers import SPACE, count, decimals_of, number, p_value
from tests.unit.report.made_run import estimate, share


def made(*ends: float | None, **more: Any) -> Estimate:
    return Estimate.from_dict(estimate(*ends, **more))


def of(part: int, whole: int) -> Estimate:
    return Estimate.from_dict(share(part, whole))


def text(value: float | None, n: int = 1000) -> str:
    return number(made(value, n=n), "share").text.replace(SPACE, " ")


def test_13_of_1000_is_said_as_a_manager_would() -> None:
    found = number(made(0.013, 0.0076, 0.0221), "share")

    assert found.full.replace(SPACE, " ") == "1.3 % (0.8–2.2 %)"
    assert found.detail.replace(SPACE, " ") == (
        "95 % interval 0.8–2.2 %, Wilson; n = 1,000"
    )


def test_undefined_is_never_zero() -> None:
    found = number(made(None, n=0, reason="new makes no error"), "share")

    assert found.text == "undefined (new makes no error)"
    assert not found.known
    assert found.sort == ""


@pytest.mark.parametrize(
    ("value", "n", "shown"),
    [
        (0.0, 1000, "0.0 %"),
        (0.0004, 1000, "0.04 %"),
        (0.00001, 1000, "0.001 %"),
        (0.9999, 1000, "99.99 %"),
        (1.0, 1000, "100.0 %"),
        (0.12345, 10_000, "12.35 %"),
        (0.12345, 50, "12.3 %"),
    ],
)
def test_some_is_never_shown_as_none_nor_most_as_all(
    value: float, n: int, shown: str
) -> None:
    assert text(value, n) == shown


def test_a_bound_above_its_limit_never_looks_equal_to_it() -> None:
    found = made(0.0031, 0.0012, 0.00502)

    interval = decimals_of([found], "share", apart=(math.nan, 0.005))
    bound = decimals_of([found], "share", apart=(0.0050004, 0.005))

    assert (interval, bound) == (3, 5)


def test_a_column_has_the_decimals_of_the_one_that_needs_most() -> None:
    column = [of(60, 600), of(1, 60_000), of(1, 0)]

    assert decimals_of(column, "share") == 3
    assert decimals_of(column[:1], "share") == 1
    assert decimals_of([of(30_000, 60_000)], "share", most=2) == 2


def test_a_change_has_a_sign_and_no_change_has_none() -> None:
    assert number(made(0.01), "points").text == f"+1.0{SPACE}points"
    assert number(made(-0.01), "points").text == f"−1.0{SPACE}points"
    assert number(made(0.0), "points").text == f"0.0{SPACE}points"


def test_counts_and_p_values() -> None:
    assert count(1234567) == "1,234,567"
    assert p_value(0.0004) == "< 0.001"
    assert p_value(math.nan) == "undefined"
