"""Where the units of a level stand: among the words, and in the gold tree."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from compat_eval.core.arrays import Ints

NO_PATH = -1


@dataclass(frozen=True, kw_only=True)
class Places:
    """Units in a sequence of words and in a forest of nodes.

    Attributes:
        begin: Number of each unit's first word in its example, shape (n_units,).
        end: One past its last word, shape (n_units,).
        node: Which node each unit is, shape (n_units,).
        parent: The node above each node, -1 above a root, shape (n_nodes,). Nodes
            of all examples have one numbering; some may be no unit.

    """

    begin: Ints
    end: Ints
    node: Ints
    parent: Ints

    @cached_property
    def depth(self) -> Ints:
        """How many nodes stand above each node; shape (n_nodes,).

        A node that never reaches a root, which happens in no tree, has as many
        as there are nodes.
        """
        n_nodes = len(self.parent)
        depth, above = (self.parent >= 0).astype(np.int64), self.parent
        for _ in range(n_nodes.bit_length()):  # each round looks twice as far up
            below = above >= 0
            depth = np.where(below, depth + depth[above], depth)
            above = np.where(below, above[above], -1)
        return np.where(above >= 0, n_nodes, depth)

    def words_apart(self, one: Ints, other: Ints) -> Ints:
        """Return how far units are from each other; 0 where they share words.

        Neighbours are 1 apart.
        """
        later = np.maximum(self.begin[one], self.begin[other])
        gap = later - np.minimum(self.end[one], self.end[other])
        return np.asarray(np.maximum(gap + 1, 0), np.int64)

    def edges_apart(self, one: Ints, other: Ints, *, most: int = 1 << 30) -> Ints:
        """Return the length of the path between units; `NO_PATH` for none.

        Args:
            one: Units.
            other: Further units, of the same examples.
            most: Longer paths are this long; deep trees take long to walk.

        Examples:
            >>> at, parent = np.arange(3), np.array([1, -1, 1])
            >>> tree = Places(begin=at, end=at + 1, node=at, parent=parent)
            >>> tree.edges_apart(np.array([0]), np.array([2])).tolist()
            [2]

        """
        root = self._root
        a, b = self.node[one], self.node[other]
        connected = (root[a] == root[b]) & (root[a] >= 0)
        a, b = np.where(connected, a, 0), np.where(connected, b, 0)
        steps = np.zeros(len(a), np.int64)
        while (apart := (a != b) & (steps < most)).any():
            lower = self.depth[a] - self.depth[b]
            first, second = apart & (lower >= 0), apart & (lower <= 0)
            a, b = (
                np.where(first, self.parent[a], a),
                np.where(second, self.parent[b], b),
            )
            steps += first.astype(np.int64) + second
        return np.where(connected, np.minimum(steps, most), NO_PATH)

    @cached_property
    def _root(self) -> Ints:
        """The topmost node above each node; -1 where none is; shape (n_nodes,)."""
        at = np.arange(len(self.parent))
        above = np.where(self.parent < 0, at, self.parent)
        for _ in range(len(at).bit_length()):
            above = above[above]
        return np.where(self.parent[above] < 0, above, -1)
