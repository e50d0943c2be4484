import itertools

import pytest

from compat_eval.models.stack_pointer.actions import Actions, actions_of


def trees(n: int) -> list[tuple[int, ...]]:
    """Return all trees of n words, several roots allowed: (n + 1) ** (n - 1)."""

    def reaches_root(heads: tuple[int, ...], word: int) -> bool:
        for _ in heads:
            word = heads[word - 1]
            if word == 0:
                return True
        return False

    every = itertools.product(range(n + 1), repeat=n)
    return [
        heads
        for heads in every
        if all(reaches_root(heads, word) for word in range(1, n + 1))
    ]


@pytest.mark.parametrize(("n", "count"), [(0, 1), (1, 1), (2, 3), (3, 16), (4, 125)])
def test_every_tree_is_2n_plus_1_actions_and_back(n: int, count: int) -> None:
    every = trees(n)
    assert len(every) == count

    for heads in every:
        actions = actions_of(heads)
        assert len(actions.top) == 2 * n + 1
        assert heads_of(actions) == heads


def heads_of(actions: Actions) -> tuple[int, ...]:
    """Return the tree that actions build."""
    pairs = zip(actions.top.tolist(), actions.pointed.tolist(), strict=True)
    found = {child: head for head, child in pairs if child != head}
    return tuple(found[word] for word in range(1, len(found) + 1))


def test_different_trees_are_different_actions() -> None:
    found = {tuple(actions_of(heads).pointed) for heads in trees(4)}

    assert len(found) == 125


def test_children_come_inside_out() -> None:
    # Word 3 has children 1, 2 to its left and 4, 5 to its right.
    actions = actions_of([3, 3, 0, 3, 3])

    pushed = actions.pointed[actions.pointed != actions.top]
    assert pushed.tolist() == [3, 2, 1, 4, 5]


def test_grandparents_are_heads_of_the_top() -> None:
    actions = actions_of([2, 0, 2])

    assert actions.top.tolist() == [0, 2, 1, 2, 3, 2, 0]
    assert actions.grandparent.tolist() == [0, 0, 2, 0, 2, 0, 0]


def test_a_cycle_is_no_tree() -> None:
    with pytest.raises(ValueError, match=r"heads \[2, 1, 0\] are no tree"):
        actions_of([2, 1, 0])
