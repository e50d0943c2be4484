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
        ("-1.5", ("punctuation",), "-1.5"),
        ("10:30 o’clock", ("punctuation",), "10:30 oclock"),
        ("1,000 or 1,5", ("punctuation",), "1000 or 1,5"),
        ("state-of-the-art", ("punctuation",), "stateoftheart"),
        ("The cat on a mat", ("articles",), "cat on mat"),
        ("A", ("articles",), "A"),
        ("anthem", ("articles",), "anthem"),
        (" a \t\n b ", ("blanks",), "a b"),
        ("\ufeffa", ("strip",), "a"),
        ("-0.0", ("number",), "0"),
        ("007", ("number",), "7"),
        ("+.50", ("number",), "0.5"),
        ("1.2.3", ("number",), "1.2.3"),
        ("1_000", ("number",), "1_000"),
        ("nan", ("number",), "nan"),
        ("1e999", ("number",), "1e999"),
        ("9" * 40, ("number",), "9" * 40),
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
