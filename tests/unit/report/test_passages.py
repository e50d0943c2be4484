from hypothesis import given
from hypothesis import strategies as st

from compat_eval.report.passages import compared

words = st.lists(st.sampled_from(["a", "b", "seven", " ", "\n", ":", "←", "12"]))
texts = words.map("".join).map(
    lambda text: text + " and a tail that makes it long enough to be compared"
)


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
