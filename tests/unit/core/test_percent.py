import pytest

from compat_eval.core.percent import fraction_of


@pytest.mark.parametrize(
    ("text", "fraction"),
    [
        ("2%", 0.02),
        (" 0.7 % ", 0.007),
        ("100%", 1.0),
        ("-1%", -0.01),
        ("0.02", None),
        ("two%", None),
        ("%", None),
    ],
)
def test_a_percentage_is_the_fraction_that_it_stands_for(
    text: str, fraction: float | None
) -> None:
    assert fraction_of(text) == fraction
