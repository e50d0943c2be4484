import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat_eval.report.text import clip, compared, shortened, visible
from tests.unit.report.hostile import ACTS, HOSTILE

words = st.lists(st.sampled_from(["a", "b", "seven", " ", "\n", ":", "←", "12"]))
texts = words.map("".join).map(
    lambda text: text + " and a tail that makes it long enough to be compared"
)


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


@given(texts, texts)
def test_passages_are_the_texts_and_what_is_shared_is_in_both(
    one: str, other: str
) -> None:
    left, right = compared(one, other)

    assert "".join(passage.text for passage in left) == one
    assert "".join(passage.text for passage in right) == other
    shared = [
        "".join(passage.text for passage in side if not passage.differs)
        for side in (left, right)
    ]
    assert shared[0] == shared[1]


def test_what_stands_before_and_after_a_change_is_shared() -> None:
    old = "1:root←0 2:advmod←1 3:punct←1 4:obj←1 5:case←4 6:nmod←4"

    left, right = compared(old, old.replace("obj", "obl"))

    assert [passage.text for passage in left if passage.differs] == ["obj"]
    assert [passage.text for passage in right if passage.differs] == ["obl"]
