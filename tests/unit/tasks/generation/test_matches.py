from collections.abc import Mapping

import pytest

from compat_eval.core.errors import UsageError
from compat_eval.tasks.generation.matches import MATCHES, match_of


def right(name: str, answer: str, gold: str, **options: str) -> bool:
    match = match_of(name, options)
    said = match.read(answer, "")
    return said is not None and match.same(said, match.read(gold, ""))


@pytest.mark.parametrize(
    ("name", "answer", "gold", "is_right"),
    [
        ("exact", " Paris\n", "Paris", True),
        ("exact", "paris", "Paris", False),
        ("normalised", "The answer!", "answer", True),
        ("normalised", "the", "The", True),
        ("normalised", "!!", "The", False),
        ("normalised", "a", "an", False),
        ("prefix", "Paris, of course", "paris", True),
        ("prefix", "Parisian", "paris", False),
        ("contains", "It is in Paris.", "paris", True),
        ("contains", "comparison", "paris", False),
        ("numeric", "so 1,000.0", "1000", True),
        ("numeric", "no number", "1000", False),
        ("choice", "The answer is (B)", "1", True),
        ("sql", "select A from B;", "SELECT a FROM b", True),
    ],
)
def test_what_is_right(name: str, answer: str, gold: str, is_right: bool) -> None:  # noqa: FBT001
    assert right(name, answer, gold) is is_right


def test_options_belong_to_their_match() -> None:
    assert right("numeric", "1.05", "1", absolute="0.1")
    assert right("numeric", "50 %", "0.5", percent="fraction")
    assert right("choice", "no way", "no", choices="yes|no")
    with pytest.raises(UsageError, match="option of match=numeric"):
        match_of("exact", {"absolute": "1"})


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("nearly", {}),
        ("exact", {"foo": "1"}),
        ("numeric", {"absolute": "-1"}),
        ("numeric", {"relative": "x"}),
        ("numeric", {"absolute": "1/0"}),
        ("numeric", {"number": "second"}),
        ("choice", {"choices": "yes"}),
        ("choice", {"choices": "yes|yes"}),
        ("choice", {"first": "2"}),
    ],
)
def test_no_other_values_are_taken(name: str, options: Mapping[str, str]) -> None:
    with pytest.raises(UsageError, match="generation"):
        match_of(name, options)


def test_an_empty_text_says_nothing_by_any_match() -> None:
    for name in MATCHES.keys() - {"execution"}:  # needs databases
        assert match_of(name, {}).read("", "") is None
