import pytest

from compat_eval.core.errors import UsageError
from compat_eval.core.option_text import fraction_of, joined, parts_of


def test_what_was_joined_is_taken_apart() -> None:
    values = {"gold": "label", "prediction": 'says, "in" short', "id": "é x"}

    parts = parts_of(joined(values))

    assert dict(part.split("=", 1) for part in parts) == values


@pytest.mark.parametrize("text", ["id=a\rb", "id=a\nb"])
def test_what_is_no_list_is_told(text: str) -> None:
    with pytest.raises(UsageError, match=r"no list of parts"):
        parts_of(text)


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
