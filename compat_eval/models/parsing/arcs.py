"""Scores of every labelled arc, and the trees that score highest.

An arc-factored parser's own answer and a mixture of several parsers are the
same operation on different tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.core.errors import ModelError
from compat_eval.models.decoding import k_best_trees, max_spanning_trees
from compat_eval.models.parsing.label_views import translation, under
from compat_eval.models.parsing.sentence import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledArcs:
    """Scores of a batch's labelled arcs; a tree's score is the sum of its arcs'.

    Attributes:
        scores: In nats, shape (n_sentences, n_words, n_words + 1, n_labels):
            word, head (0 for the root), label; -inf where impossible.
        lengths: Words of each sentence, shape (n_sentences,).
        labels: Names of the relations.

    """

    scores: Tensor
    lengths: Tensor
    labels: tuple[str, ...]

    def best(self) -> list[Tree]:
        """Return the best tree of each sentence; it has one root."""
        arcs, label = self.scores.max(dim=-1)
        heads = max_spanning_trees(arcs, self.lengths)
        labels = label.gather(2, heads.unsqueeze(-1)).squeeze(-1)
        rows = zip(heads.tolist(), labels.tolist(), self.lengths.tolist(), strict=True)
        return [self._tree(head, named, n) for head, named, n in rows]

    def k_best(self, k: int) -> list[list[Tree]]:
        """Return the `k` best trees of each sentence, or all where there are fewer."""
        found = k_best_trees(self.scores, self.lengths, k)
        rows = zip(
            found.heads.tolist(),
            found.labels.tolist(),
            self.lengths.tolist(),
            found.counts.tolist(),
            strict=True,
        )
        return [
            [self._tree(heads[at], labels[at], n) for at in range(count)]
            for heads, labels, n, count in rows
        ]

    def score(self, trees: Sequence[Sequence[Tree]]) -> list[Values]:
        """Return the score of each tree of each sentence, in nats.

        A tree with an unknown label, a head outside the sentence or another
        number of words has -inf.
        """
        per_sentence = np.array([len(of_one) for of_one in trees], np.int64)
        sentence = np.repeat(np.arange(len(trees)), per_sentence)
        flat = FlatTrees.of([tree for of_one in trees for tree in of_one], self.labels)
        n_words = self.lengths.cpu().numpy()[sentence]
        possible = flat.possible(n_words)
        arcs = flat.take(possible)
        where = (sentence[possible][arcs.tree], arcs.word, arcs.head, arcs.label)
        found = self.scores[tuple(torch.from_numpy(at) for at in where)].double()
        total = np.full(len(sentence), -np.inf)
        total[possible] = np.bincount(
            arcs.tree, found.cpu().numpy(), minlength=int(possible.sum())
        )
        return list(np.split(total, np.cumsum(per_sentence)[:-1]))

    def _tree(self, heads: list[int], labels: list[int], n_words: int) -> Tree:
        return Tree(
            tuple(heads[:n_words]), tuple(self.labels[at] for at in labels[:n_words])
        )


def mixed(parts: Sequence[tuple[float, LabelledArcs]]) -> LabelledArcs:
    """Return the weighted sum of several parsers' scores.

    The labels are those of the first parser; for those that another parser does not
    know see `label_views`.

    Args:
        parts: Weights, not negative, and tables of the same sentences.

    Raises:
        ModelError: The parsers did not read the same words.

    """
    first = parts[0][1]
    total = torch.zeros_like(first.scores)
    for weight, arcs in parts:
        if not torch.equal(arcs.lengths, first.lengths):
            raise ModelError("parsers can be mixed only over the same words")
        if weight:
            total.add_(_as_named_by(first, arcs), alpha=weight)
    return replace(first, scores=total)


def _as_named_by(first: LabelledArcs, arcs: LabelledArcs) -> Tensor:
    """Return scores of the first one's labels."""
    numbers = translation(first.labels, arcs.labels, arcs.scores.device)
    if numbers is None:
        return arcs.scores
    (arc, told), (_, base) = _divided(arcs.scores), _divided(first.scores)
    return arc + under(told, numbers, base)


def _divided(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Return log p of each arc, and of each label given the arc."""
    arc = scores.logsumexp(dim=-1, keepdim=True)
    return arc, (scores - arc).masked_fill(arc.isneginf(), 0.0)


_UNNAMED = ""
"""No relation has this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatTrees:
    """The arcs of trees, in their order.

    Attributes:
        tree: Which tree an arc belongs to, shape (n_arcs,).
        word: Its word, counted from 0, shape (n_arcs,).
        head: The word's head, counted from 1; 0 for the root; shape (n_arcs,).
        label: Number of its relation, -1 where unknown, shape (n_arcs,).
        sizes: Arcs of each tree, shape (n_trees,).

    """

    tree: Ints
    word: Ints
    head: Ints
    label: Ints
    sizes: Ints

    @classmethod
    def of(cls, trees: Sequence[Tree], labels: Sequence[str]) -> "FlatTrees":
        """Spread out trees; a tree with too few or many relations gets unknown ones."""
        number = {name: at for at, name in enumerate(labels)}
        sizes = np.array([len(tree.heads) for tree in trees], np.int64)
        named = chain.from_iterable(map(_relations, trees))
        return cls(
            tree=np.repeat(np.arange(len(trees)), sizes),
            word=np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes),
            head=np.array([h for tree in trees for h in tree.heads], np.int64),
            label=np.array([number.get(name, -1) for name in named], np.int64),
            sizes=sizes,
        )

    def possible(self, n_words: Ints) -> Bools:
        """Return which trees have an arc for each word, all heads and relations known.

        Args:
            n_words: Words of each tree's sentence, shape (n_trees,).

        """
        n = n_words[self.tree]
        odd = (self.head < 0) | (self.head > n) | (self.label < 0)
        n_odd = np.bincount(self.tree[odd], minlength=len(self.sizes))
        return np.asarray((self.sizes == n_words) & (n_odd == 0), np.bool_)

    def take(self, trees: Bools) -> "FlatTrees":
        """Return some of the trees, numbered anew."""
        arcs = trees[self.tree]
        return FlatTrees(
            tree=(np.cumsum(trees) - 1)[self.tree[arcs]],
            word=self.word[arcs],
            head=self.head[arcs],
            label=self.label[arcs],
            sizes=self.sizes[trees],
        )


def _relations(tree: Tree) -> Sequence[str]:
    if len(tree.deprels) == len(tree.heads):
        return tree.deprels
    return (_UNNAMED,) * len(tree.heads)
