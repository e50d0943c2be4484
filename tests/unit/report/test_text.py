import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat_eval.report.text import clip, compared, folded, shortened, visible, whole
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


def test_texts_that_share_next_to_nothing_are_not_marked() -> None:
    old = "First the number is divided by two, then by three, then by five."

    left, right = compared(old, "No")

    assert [one.differs for one in (*left, *right)] == [False, False]


def test_long_texts_are_compared_by_sentence() -> None:
    sentences = [f"Step {at} divides the number by {at}. " for at in range(400)]
    new = "This step is new. "
    other = [new if at in (10, 390) else one for at, one in enumerate(sentences)]

    left, right = compared("".join(sentences), "".join(other))

    assert [one.text for one in right if one.differs] == [new, new]
    assert "".join(one.text for one in left) == "".join(sentences)


@given(st.lists(st.integers(0, 2000), max_size=5))
def test_folding_loses_nothing(lengths: list[int]) -> None:
    pieces = [one for n in lengths for one in whole("x" * n)]

    found = folded(pieces)

    assert "".join(one.text for one in found) == "".join(one.text for one in pieces)


def test_what_surrounds_a_difference_is_not_folded() -> None:
    text = "same " * 400
    _, right = compared(f"{text}old{text}", f"{text}new{text}")

    found = folded(right)

    at = next(i for i, one in enumerate(found) if one.differs)
    assert [one.folded for one in found] == [True, False, False, False, True]
    assert found[at - 1].text.endswith("same ")
