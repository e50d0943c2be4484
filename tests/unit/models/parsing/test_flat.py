import numpy as np

from compat_eval.models.parsing.flat import FlatTrees
from compat_eval.models.parsing.sentence import NO_TREE, Tree

TREES = [
    Tree((2, 0), ("det", "root")),
    Tree((0,), ("nsubj",)),
    Tree((0, 3), ("root", "det")),
    Tree((0, 1), ("root",)),
    NO_TREE,
    Tree((), ()),
]
FLAT = FlatTrees.of(TREES, ("det", "root"))


def test_every_arc_is_a_row() -> None:
    assert FLAT.tree.tolist() == [0, 0, 1, 2, 2, 3, 3, 4]
    assert FLAT.word.tolist() == [0, 1, 0, 0, 1, 0, 1, 0]
    assert FLAT.head.tolist() == [2, 0, 0, 0, 3, 0, 1, -1]
    assert FLAT.label.tolist() == [0, 1, -1, 1, 0, -1, -1, -1]


def test_impossible_are_unknown_relations_outside_heads_and_other_lengths() -> None:
    n_words = np.array([2, 1, 2, 2, 1, 0])

    assert FLAT.possible(n_words).tolist() == [True, False, False, False, False, True]
    assert FLAT.possible(n_words + 1).tolist() == [False] * 6


def test_taken_trees_are_numbered_anew() -> None:
    taken = FLAT.take(np.array([False, False, True, False, True, True]))

    assert taken.tree.tolist() == [0, 0, 1]
    assert taken.head.tolist() == [0, 3, -1]
    assert taken.sizes.tolist() == [2, 1, 0]
