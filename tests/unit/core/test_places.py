import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from compat_eval.core.places import NO_PATH, Places


def tree(parents: list[int]) -> Places:
    at = np.arange(len(parents))
    return Places(begin=at, end=at + 1, node=at, parent=np.array(parents, np.int64))


def walked(parents: list[int], one: int, other: int) -> int:
    """Count edges by breadth-first search over neighbours."""
    ends = [{one}]
    seen = {one}
    while ends[-1]:
        if other in ends[-1]:
            return len(ends) - 1
        around = {p for p in ((parents[n]) for n in ends[-1]) if p >= 0}
        around |= {n for n, p in enumerate(parents) if p in ends[-1]}
        ends.append(around - seen)
        seen |= around
    return NO_PATH


@st.composite
def forests(draw: st.DrawFn) -> list[int]:
    size = draw(st.integers(1, 12))
    return [draw(st.integers(-1, at - 1)) for at in range(size)]


@given(forests())
def test_paths_are_as_long_as_a_search_finds_them(parents: list[int]) -> None:
    n = len(parents)
    one, other = (axis.ravel() for axis in np.indices((n, n)))

    found = tree(parents).edges_apart(one, other)

    pairs = zip(one.tolist(), other.tolist(), strict=True)
    assert found.tolist() == [walked(parents, a, b) for a, b in pairs]


def test_what_goes_round_in_a_circle_has_no_path() -> None:
    circle = tree([1, 0, -1])

    assert circle.edges_apart(np.array([0, 2]), np.array([1, 2])).tolist() == [-1, 0]


def test_words_apart_are_counted_between_the_nearer_ends() -> None:
    spans = Places(
        begin=np.array([0, 2, 3]),
        end=np.array([2, 5, 4]),
        node=np.arange(3),
        parent=np.array([-1, 0, 1]),
    )

    found = spans.words_apart(np.array([0, 0, 1, 2]), np.array([1, 2, 2, 0]))

    assert found.tolist() == [1, 2, 0, 2]
