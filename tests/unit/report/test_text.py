import pytest

from compat_eval.report.text import clip, shortened, visible
from tests.unit.report.hostile import ACTS, HOSTILE


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_character_that_acts_is_left(text: str) -> None:
    assert not ACTS.search(visible(text))


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        (0x00, "␀"),
        (0x1B, "␛"),
        (0x7F, "␡"),
        (0x85, "⟨U+0085⟩"),
        (0x202E, "⟨U+202E⟩"),
        (0xD800, "⟨U+D800⟩"),
        (0xE0041, "⟨U+E0041⟩"),
    ],
)
def test_a_character_that_acts_is_shown_as_a_symbol(code: int, shown: str) -> None:
    assert visible(chr(code)) == shown


def test_letters_of_every_script_emoji_and_line_breaks_stay() -> None:
    text = "שלום مرحبا 你好 naïve 👩‍👩‍👧\n\tnext"

    assert visible(text) == text


def test_one_line_has_no_line_break() -> None:
    assert visible("a\r\nb\tc", one_line=True) == "a␊b␉c"


def test_clipping_counts_what_is_missing() -> None:
    assert clip("x" * 1_000_000, 10).missing == 999_990
    assert clip("short", 10).missing == 0


def test_clipping_keeps_a_letter_with_its_accent() -> None:
    assert clip("ab" + "e\u0301" + "c", 3).text == "ab"


def test_a_long_text_is_shortened_with_a_sign() -> None:
    assert shortened("a" * 100, 5) == "aaaaa…"
    assert shortened("aaaaa", 5) == "aaaaa"
