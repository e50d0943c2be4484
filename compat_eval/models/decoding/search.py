"""The k best labelled trees of one sentence, exactly.

The set of all trees is split around each tree found: keep its choices for the
first words, forbid its choice for the next one. A part is solved only when its
upper bound, from the dual prices of the tree it was split from, comes up.

Sources: Lawler, "A procedure for computing the K best solutions to discrete
optimization problems", Management Science 18, 1972,
https://doi.org/10.1287/mnsc.18.7.401; Camerini et al., "The k best spanning
arborescences of a network", Networks 10, 1980,
https://doi.org/10.1002/net.3230100203.
"""

import heapq
from dataclasses import dataclass
from itertools import count

import numpy as np

from compat_eval.core.arrays import Ints, Values
from compat_eval.models.decoding.contraction import (
    Spanning,
    spanning_tree,
    with_root_penalty,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledTree:
    """One tree of a sentence: heads and labels, shape (n_words,), and its score."""

    heads: Ints
    labels: Ints
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """The trees that share the first words' choices and avoid some of the next.

    Attributes:
        heads: Heads of the words before `word`.
        labels: Their labels.
        word: The first word that is not settled.
        forbidden: Choices (head, label) it must not take.

    """

    heads: Ints
    labels: Ints
    word: int
    forbidden: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Solved:
    """A part, its best tree, and what proves that it is the best."""

    part: _Part
    tree: LabelledTree
    proof: Spanning
    arcs: Values
    second: Values
    single_root: bool

    def loss(self) -> Values:
        """Return what leaving the tree's choice at a word costs, at least.

        Shape (n_words,): the next label of the same head, or another head.
        """
        arcs = with_root_penalty(self.arcs) if self.single_root else self.arcs
        slack = self.proof.slack(arcs)
        words, heads = np.arange(len(self.tree.heads)), self.tree.heads
        slack[words, heads] = self.arcs[words, heads] - self.second[words, heads]
        return np.asarray(slack.min(axis=1), np.float64)


def search_trees(scores: Values, k: int, *, single_root: bool) -> list[LabelledTree]:
    """Return the k best trees, the best first; fewer where there are fewer.

    Args:
        scores: Shape (n_words, n_words + 1, n_labels); -inf for the impossible.
        k: How many.
        single_root: Whether exactly one word may have head 0.

    """
    problem = _Problem(scores, single_root=single_root)
    none = np.zeros(0, np.int64)
    order = count()
    heap: list[tuple[float, int, int, _Part | _Solved]] = []
    first = _Part(heads=none, labels=none, word=0, forbidden=())
    heapq.heappush(heap, (-np.inf, 1, next(order), first))
    found: list[LabelledTree] = []
    while heap and len(found) < k:
        *_, item = heapq.heappop(heap)
        if isinstance(item, _Part):
            solved = problem.solve(item)
            if solved is not None:
                entry = (-solved.tree.score, 0, next(order), solved)
                heapq.heappush(heap, entry)
            continue
        found.append(item.tree)
        for part, bound in _split(item):
            if bound > -np.inf:
                heapq.heappush(heap, (-bound, 1, next(order), part))
    return sorted(found, key=lambda tree: -tree.score)


def _split(solved: _Solved) -> list[tuple[_Part, float]]:
    """Return the parts that make up a part without its best tree."""
    part, tree, loss = solved.part, solved.tree, solved.loss()
    parts = []
    for word in range(part.word, len(tree.heads)):
        choice = (int(tree.heads[word]), int(tree.labels[word]))
        known = part.forbidden if word == part.word else ()
        rest = _Part(
            heads=tree.heads[:word],
            labels=tree.labels[:word],
            word=word,
            forbidden=(*known, choice),
        )
        slip = 1e-9 * (1.0 + abs(tree.score))  # bounds are sums in another order
        parts.append((rest, tree.score - float(loss[word]) + slip))
    return parts


class _Problem:
    """All labelled arcs of a sentence, and its arcs by their best label."""

    def __init__(self, scores: Values, *, single_root: bool) -> None:
        self.scores = scores
        self.single_root = single_root
        self.label = scores.argmax(axis=2)
        self.best = scores.max(axis=2)
        self.second = _second_best(scores)

    def solve(self, part: _Part) -> _Solved | None:
        """Return the best tree of a part; `None` where it has none."""
        arcs, label, second = self.best.copy(), self.label, self.second
        settled = np.arange(part.word)
        kept = self.scores[settled, part.heads, part.labels]
        arcs[settled] = -np.inf
        arcs[settled, part.heads] = kept
        if part.forbidden:
            label, second = label.copy(), second.copy()
            allowed = self.scores[part.word].copy()
            at = tuple(np.array(part.forbidden).T)
            allowed[at] = -np.inf
            label[part.word] = allowed.argmax(axis=1)
            arcs[part.word] = allowed.max(axis=1)
            second[part.word] = _second_best(allowed[None])[0]
        best = spanning_tree(arcs, single_root=self.single_root)
        if best is None:
            return None
        heads = best.heads
        words = np.arange(len(heads))
        labels = label[words, heads]
        labels[settled] = part.labels
        chosen = arcs[words, heads]
        tree = LabelledTree(heads=heads, labels=labels, score=float(chosen.sum()))
        return _Solved(
            part=part,
            tree=tree,
            proof=best,
            arcs=arcs,
            second=second,
            single_root=self.single_root,
        )


def _second_best(scores: Values) -> Values:
    """Return the second best label's score of each arc, -inf with one label."""
    if scores.shape[2] == 1:
        return np.full(scores.shape[:2], -np.inf)
    return np.asarray(np.partition(scores, -2, axis=2)[:, :, -2], np.float64)
