import time

import pytest

from compat_eval.core.errors import UsageError
from compat_eval.tasks.generation.extract import Extraction


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"#### (\d+)", "6 x 7\n#### 42", "42"),
        (r"#### (?P<n>\d+)", "#### 42", "42"),
        (r"\d+", "no 7 and 8", "7"),
        (r"(a|b)(c)", "xbc", "b"),
        (r"(?:a|b)(c)", "xbc", "c"),
        (r"[(](\w+)[)]", "(yes)", "yes"),
        (r"[^(](x)", "(xx", "x"),
        (r"[]()](x)", ")x", "x"),
        (r"\((\w)\)", "it is (B)", "B"),
        (r"x (\w+)", "nothing", None),
    ],
)
def test_the_first_group_is_the_answer(
    pattern: str, text: str, found: str | None
) -> None:
    assert Extraction.of(pattern).of_each([text]) == [found]


def test_the_last_match_counts_where_that_is_wanted() -> None:
    texts = ["answer: 1\nanswer: 2", None]
    assert Extraction.of(r"answer: (\d)", last=True).of_each(texts) == ["2", None]


def test_a_pattern_that_would_take_for_ever_elsewhere_takes_no_time_here() -> None:
    start = time.perf_counter()
    assert Extraction.of(r"^(a+)+$").of_each(["a" * 50_000 + "b"]) == [None]
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("pattern", ["(", "(?=x)", r"(x)\1", "", "x" * 2000])
def test_what_is_no_pattern_of_re2_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError, match="extract"):
        Extraction.of(pattern)
