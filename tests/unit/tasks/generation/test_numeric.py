from fractions import Fraction

import pytest

from compat_eval.tasks.generation.numeric import (
    FoundNumber,
    Tolerance,
    Which,
    numbers_in,
    the_number,
)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,234,567.5", [1234567.5]),
        ("1,2,3", [1, 2, 3]),
        ("$1{,}000 or 1’000 or 1\u202f000", [1000, 1000, 1000]),
        ("-3 and \u22124", [-3, -4]),
        ("10-5", [10, 5]),
        ("3/4 and 2 1/2", [0.75, 2.5]),
        (r"\frac{1}{3}", [1 / 3]),
        (r"\dfrac{1}{0}", []),
        ("1e3, 2.5 × 10^4, 3 \\times 10^{-2}", [1000, 25000, 0.03]),
        (".5 or 5.", [0.5, 5]),
        ("12/05/2024 at 12:30, v1.2.3", []),
        ("1e999999999", []),
        ("9" * 100, []),
        ("none", []),
        ("1,0000", [1, 0]),
    ],
)
def test_numbers_of_running_text(text: str, values: list[float]) -> None:
    assert [float(one.value) for one in numbers_in(text)] == pytest.approx(values)


@pytest.mark.parametrize(
    ("text", "which", "value"),
    [
        (r"so \boxed{42}, not 7", "answer", 42),
        ("6 * 7 = 42\n#### 42\nthat took 3 steps", "answer", 42),
        ("The answer is 6, since 42/7 = 6. I am 99 % sure", "answer", 6),
        ("Answer: $1,200.00", "answer", 1200),
        ("first 1 then 2", "answer", 2),
        ("first 1 then 2", "first", 1),
        ("the answer is 1. Or 2", "last", 2),
        ("3, thus 3", "only", 3),
        ("3, thus 4", "only", None),
        ("none", "answer", None),
    ],
)
def test_which_number_is_the_answer(
    text: str, which: Which, value: float | None
) -> None:
    found = the_number(text, which)
    assert (None if found is None else found.value) == value


def number(value: str, *, percent: bool = False) -> FoundNumber:
    return FoundNumber(Fraction(value), percent)


def test_tolerances_include_their_ends() -> None:
    near = Tolerance(absolute=Fraction("0.1"))
    assert near.same(number("1.1"), number("1"))
    assert not near.same(number("1.11"), number("1"))
    share = Tolerance(relative=Fraction("0.01"))
    assert share.same(number("-101"), number("-100"))
    assert not share.same(number("102"), number("100"))
    assert not share.same(number("0.001"), number("0"))


def test_a_percent_sign_is_a_unit_unless_it_is_to_be_a_fraction() -> None:
    assert Tolerance().same(number("50", percent=True), number("50"))
    assert not Tolerance().same(number("50", percent=True), number("0.5"))
    as_fraction = Tolerance(percent="fraction")
    assert as_fraction.same(number("50", percent=True), number("0.5"))


def test_a_long_text_is_read_in_bounded_time() -> None:
    assert the_number("1 " * 2_000_000 + "7", "last") == number("7")
