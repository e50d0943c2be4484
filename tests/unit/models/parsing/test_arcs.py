import itertools

import numpy as np
import pytest
import torch

from compat_eval.core.errors import ModelError
from compat_eval.models.parsing.arcs import FlatTrees, LabelledArcs, mixed
from compat_eval.models.parsing.sentence import NO_TREE, Tree

# Two words: scores of heads 0, 1, 2 for each, times labels a and b.
SCORES = torch.tensor(
    [
        [
            [[-5.0, -1.0], [-np.inf, -np.inf], [-0.5, -3.0]],
            [[-2.0, -9.0], [-0.25, -4.0], [-np.inf, -np.inf]],
        ]
    ]
)
ARCS = LabelledArcs(scores=SCORES, lengths=torch.tensor([2]), labels=("a", "b"))
BEST = Tree((0, 1), ("b", "a"))  # -1 - 0.25; the cycle 2, 1 would be better


def test_the_best_tree_is_no_cycle() -> None:
    assert ARCS.best() == [BEST]


def test_the_best_trees_come_in_order_and_run_out() -> None:
    heads = [(0, 1), (2, 0)]  # the trees of two words with one root
    every = [
        Tree(tree, labels)
        for tree in heads
        for labels in itertools.product("ab", repeat=2)
    ]
    by_score = sorted(every, key=lambda tree: -ARCS.score([[tree]])[0][0])

    assert ARCS.k_best(3) == [by_score[:3]]
    assert ARCS.k_best(20) == [by_score]


def test_a_score_is_the_sum_over_arcs() -> None:
    trees = [BEST, Tree((2, 0), ("a", "b")), Tree((0, 0), ("a", "a"))]

    assert ARCS.score([trees])[0].tolist() == [-1.25, -9.5, -7.0]


def test_what_cannot_be_made_has_minus_infinity() -> None:
    trees = [
        Tree((0, 1), ("b", "c")),
        Tree((1, 0), ("a", "a")),
        Tree((0, 3), ("a", "a")),
        Tree((0, -1), ("a", "a")),
        Tree((0,), ("a",)),
        NO_TREE,
    ]

    assert ARCS.score([trees])[0].tolist() == [-np.inf] * 6


def test_a_sentence_may_have_no_candidates() -> None:
    arcs = LabelledArcs(
        scores=SCORES.repeat(3, 1, 1, 1),
        lengths=torch.tensor([2, 2, 0]),
        labels=("a", "b"),
    )

    first, second, third = arcs.score([[], [BEST], [Tree((), ())]])

    assert (first.tolist(), second.tolist(), third.tolist()) == ([], [-1.25], [0.0])


def test_a_mixture_is_the_weighted_sum() -> None:
    other = LabelledArcs(
        scores=torch.zeros_like(SCORES), lengths=ARCS.lengths, labels=ARCS.labels
    )

    assert mixed([(0.5, ARCS), (0.5, other)]).score([[BEST]])[0].tolist() == [-0.625]


def test_labels_are_mixed_by_name() -> None:
    other = LabelledArcs(
        scores=SCORES.flip(-1), lengths=ARCS.lengths, labels=("b", "a")
    )

    doubled = mixed([(1.0, ARCS), (1.0, other)])

    assert doubled.score([[BEST]])[0].tolist() == [-2.5]


def test_a_parser_has_no_view_of_labels_it_does_not_know() -> None:
    other = LabelledArcs(scores=SCORES[..., :1], lengths=ARCS.lengths, labels=("a",))

    said = mixed([(0.0, ARCS), (1.0, other)]).scores

    p_arc = SCORES.exp().sum(dim=-1, keepdim=True)
    theirs = SCORES[..., :1].exp()  # of arcs: this parser knows one label alone
    expected = (theirs * SCORES.exp() / p_arc).nan_to_num()  # no p of impossible arcs
    torch.testing.assert_close(said.exp(), expected)


def test_where_no_label_is_known_only_arcs_are_judged() -> None:
    other = LabelledArcs(scores=SCORES[..., :1], lengths=ARCS.lengths, labels=("z",))

    both = mixed([(0.5, ARCS), (0.5, other)])

    assert np.isfinite(both.score([[BEST]])[0]).all()
    assert set(both.best()[0].deprels) <= {"a", "b"}


def test_a_parser_without_weight_has_no_say() -> None:
    other = LabelledArcs(scores=SCORES[..., :1], lengths=ARCS.lengths, labels=("a",))

    assert mixed([(1.0, ARCS), (0.0, other)]).best() == ARCS.best()


def test_other_words_cannot_be_mixed() -> None:
    other = LabelledArcs(scores=SCORES, lengths=torch.tensor([1]), labels=("a", "b"))

    with pytest.raises(ModelError, match="same words"):
        mixed([(0.5, ARCS), (0.5, other)])


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
