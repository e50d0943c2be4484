import pytest

from compat_eval.core.errors import UsageError
from compat_eval.core.pairs import joined, parts_of


def test_what_was_joined_is_taken_apart() -> None:
    values = {"gold": "label", "prediction": 'says, "in" short', "id": "é x"}

    parts = parts_of(joined(values))

    assert dict(part.split("=", 1) for part in parts) == values


@pytest.mark.parametrize("text", ["id=a\rb", "id=a\nb"])
def test_what_is_no_list_is_told(text: str) -> None:
    with pytest.raises(UsageError, match=r"no list of parts"):
        parts_of(text)
