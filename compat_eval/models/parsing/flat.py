"""Many trees as a few columns: one row an arc."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from compat_eval.core.arrays import Bools, Ints
from compat_eval.models.parsing.sentence import Tree

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
