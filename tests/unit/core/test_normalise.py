import pytest

from compat_eval.core.normalise import NORMALISERS, normalised

QUASI = ("case", "nfc", "punctuation", "articles", "blanks")


@pytest.mark.parametrize(
    ("text", "forms", "found"),
    [
        (" Yes\u200b ", ("strip",), "Yes"),
        ("STRASSE", ("case",), "strasse"),
        ("Straße", ("case",), "strasse"),
        ("e\u0301", ("nfc",), "é"),
        ("1e0", ("number",), "1"),
        ("The  Eiffel Tower!", QUASI, "eiffel tower"),
        ("«Ja»", QUASI, "ja"),
        ("$5", ("punctuation",), "5"),
        ("a theatre", QUASI, "theatre"),
        ("The", (), "The"),
    ],
)
def test_forms_even_out_what_their_name_says(
    text: str, forms: tuple[str, ...], found: str
) -> None:
    assert normalised(text, forms) == found


def test_the_order_in_which_forms_are_named_changes_nothing() -> None:
    text = " The “É”,  1.0 "
    assert normalised(text, tuple(NORMALISERS)) == normalised(
        text, tuple(NORMALISERS)[::-1]
    )
