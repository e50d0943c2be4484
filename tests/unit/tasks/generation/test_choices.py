import pytest

from compat_eval.tasks.generation.choices import Choices

QUESTION = "Which is a fruit?\nA) a stone\nB) an apple\nC) a pineapple tart\nD) iron"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("B", 1),
        ("b", 1),
        ("(B)", 1),
        ("**B**", 1),
        ("B. an apple", 1),
        ("B) an apple, because it grows", 1),
        ("The answer is B.", 1),
        ("The correct answer is (B), an apple.", 1),
        ("Answer: D", 3),
        (r"thus \boxed{\text{C}}", 2),
        ("The answer is A. No, wait: the answer is B.", 1),
        ("Option B", 1),
        ("an apple", 1),
        ("An apple!", 1),
        ("It must be iron", 3),
        ("1", 1),
        ("I think (A) or (B)", None),
        ("A stone or iron?", None),
        ("The answer is a mystery", None),
        ("E", None),
        ("7", None),
        ("", None),
        ("I do not know", None),
        ("B) or (C)", None),
    ],
)
def test_a_choice_is_meant_by_letter_place_or_words(
    text: str, place: int | None
) -> None:
    assert Choices().read(text, QUESTION) == place


def test_without_listed_choices_letters_and_places_count() -> None:
    assert [Choices().read(x, "") for x in ("A", "0", "J")] == [0, 0, 9]
    assert Choices(first=1).read("1", "") == 0
    assert Choices(first=1).read("0", "") is None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Yes", 0),
        ("yes, they do", 0),
        ("no.", 1),
        ("maybe", 2),
        ("yes and no", None),
        ("not really", None),
    ],
)
def test_choices_may_have_names(text: str, place: int | None) -> None:
    assert Choices(labels=("yes", "no", "maybe")).read(text, "") == place


def test_the_name_that_holds_the_other_is_meant() -> None:
    guilty = Choices(labels=("guilty", "not guilty"))
    assert guilty.read("He is not guilty.", "") == 1
