"""Which heads are a tree, and which tree is best.

Each word takes its best head, in one pass over the batch; where that is no
tree, and only there, cycles are contracted: a path of best arcs is grown from each
word until it reaches the root or closes a cycle, which then becomes one node. O(n²).
Trained scores mostly give a tree at once.

Sources: Edmonds, "Optimum branchings", Journal of Research of the National
Bureau of Standards 71B, 1967; Tarjan, "Finding optimum branchings", Networks
7, 1977, https://doi.org/10.1002/net.3230070103.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from compat_eval.core.arrays import Ints, Values


def max_spanning_trees(
    scores: Tensor, lengths: Tensor, *, single_root: bool = True
) -> Tensor:
    """Return the heads of the best tree of each sentence.

    Args:
        scores: Arc scores, shape (batch, n_words, n_words + 1).
        lengths: Words of each sentence, shape (batch,).
        single_root: Whether exactly one word may have head 0.

    Returns:
        Heads, shape (batch, n_words); 0 at padding.

    Raises:
        ValueError: Shapes do not fit, a score is nan, or -inf leaves a
            sentence without any tree.

    Examples:
        >>> scores = torch.tensor([[[5.0, 0.0, 10.0], [1.0, 8.0, 0.0]]])
        >>> max_spanning_trees(scores, torch.tensor([2])).tolist()
        [[0, 1]]

    """
    with torch.no_grad():
        arcs = possible_arcs(scores, lengths)
        words = words_mask(arcs.shape[1], lengths)
        if arcs.shape[1] == 0:
            return torch.zeros_like(words, dtype=torch.int64)
        best, heads = arcs.max(dim=2)
        heads = torch.where(words, heads, 0)
        tree = are_trees(heads, lengths, single_root=single_root)
        tree &= ((best > -torch.inf) | ~words).all(dim=1)
        rest = torch.nonzero(~tree).flatten().tolist()
        if not rest:
            return heads
        found = heads.cpu().clone()
        dense = arcs[rest].to("cpu", torch.float64).numpy()
        for row, sentence, n in zip(dense, rest, lengths[rest].tolist(), strict=True):
            best_tree = spanning_tree(row[:n, : n + 1], single_root=single_root)
            if best_tree is None:
                raise ValueError(f"sentence {sentence} of the batch has no tree at all")
            found[sentence, :n] = torch.from_numpy(np.asarray(best_tree.heads))
        return found.to(heads.device)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spanning:
    """A maximum spanning tree and the proof that it is one.

    Attributes:
        heads: Head of each word, shape (n_words,).
        members: Which nodes are in each set that was ever a node of its own,
            shape (n_sets, n_words + 1); 0 is the root.
        prices: What entering that set costs at best, shape (n_sets,).

    """

    heads: Ints
    members: Values
    prices: Values

    def slack(self, scores: Values) -> Values:
        """Return how much any tree with an arc falls behind the best, at least.

        Linear-programming duality: prices of the sets that an arc enters, minus
        its score. Arcs of the best tree have none.

        Args:
            scores: Of the problem that was solved, shape (n_words, n_words + 1).

        """
        entered = (self.members * self.prices[:, None]).T @ (1 - self.members)
        return np.asarray(np.maximum(entered[1:] - scores, 0.0), np.float64)


def spanning_tree(scores: Values, *, single_root: bool) -> Spanning | None:
    """Return the best tree of one sentence, or `None` where there is none.

    Args:
        scores: Shape (n_words, n_words + 1); -inf for what is impossible.
        single_root: Whether exactly one word may have head 0.

    """
    if single_root:
        scores = with_root_penalty(scores)
    growth = _Growth(scores)
    for word in range(1, len(scores) + 1):
        if not growth.grow(word):
            return None
    heads = growth.expand()
    if single_root and np.count_nonzero(heads == 0) != 1:
        return None
    return Spanning(
        heads=heads,
        members=growth.members[1 : growth.size].astype(np.float64),
        prices=growth.price[1 : growth.size],
    )


def with_root_penalty(scores: Values) -> Values:
    """Make every arc from the root so dear that one more never pays."""
    finite = scores[np.isfinite(scores)]
    spread = float(finite.max() - finite.min()) if len(finite) else 0.0
    out = scores.copy()
    out[:, 0] -= len(scores) * spread + 1.0
    return out


class _Growth:
    """Nodes and contracted cycles; numbers from n_words + 1 up are cycles."""

    def __init__(self, scores: Values) -> None:
        n = len(scores) + 1
        self.n, self.size = n, n
        self.arcs = np.full((2 * n, n), -np.inf)
        self.arcs[1:n] = scores
        self.target = np.zeros((2 * n, n), np.int64)
        self.target[:n] = np.arange(n)[:, None]
        self.members = np.zeros((2 * n, n), np.bool_)
        self.members[np.arange(n), np.arange(n)] = True
        self.price = np.zeros(2 * n)
        self.entry: list[tuple[int, int]] = [(0, 0)] * (2 * n)
        self.outer = [0] * (2 * n)  # the cycle that a node is part of; 0 for none
        self.node_of = np.arange(n)  # outermost node of each word
        self.done = [False] * (2 * n)
        self.done[0] = True

    def grow(self, word: int) -> bool:
        """Connect a word to the root; false where nothing leads there."""
        node = int(self.node_of[word])
        if self.done[node]:
            return True
        path, at = [node], {node: 0}
        while True:
            tail = int(self.arcs[node].argmax())
            price = self.arcs[node, tail]
            if price == -np.inf:
                return False
            self.price[node] = price
            self.entry[node] = (tail, int(self.target[node, tail]))
            node = int(self.node_of[tail])
            if self.done[node]:
                for one in path:
                    self.done[one] = True
                return True
            if node in at:
                cycle = path[at[node] :]
                del path[at[node] :]
                for one in cycle:
                    del at[one]
                node = self._contract(cycle)
            at[node] = len(path)
            path.append(node)

    def _contract(self, cycle: list[int]) -> int:
        new, self.size = self.size, self.size + 1
        rows = self.arcs[cycle] - self.price[cycle, None]
        best = rows.argmax(axis=0)
        columns = np.arange(self.n)
        inside = self.members[cycle].any(axis=0)
        self.arcs[new] = rows[best, columns]
        self.arcs[new, inside] = -np.inf
        self.target[new] = self.target[cycle][best, columns]
        self.members[new] = inside
        self.node_of[inside] = new
        for one in cycle:
            self.outer[one] = new
        return new

    def expand(self) -> Ints:
        """Undo the contractions, the last first; shape (n_words,)."""
        entered: dict[int, tuple[int, int]] = {}
        heads = np.zeros(self.n - 1, np.int64)
        for node in range(self.size - 1, 0, -1):
            tail, word = entered.get(node, self.entry[node])
            if node < self.n:
                heads[node - 1] = tail
                continue
            inner = word
            while inner != node and inner not in entered:
                entered[inner] = (tail, word)
                inner = self.outer[inner]
        return heads


def possible_arcs(scores: Tensor, lengths: Tensor) -> Tensor:
    """Return arc scores with -inf at padding and where a word heads itself.

    Raises:
        ValueError: Shapes do not fit, or a score within a sentence is nan.

    """
    batch, n_words, n_heads = scores.shape[:3]
    if n_heads != n_words + 1 or lengths.shape != (batch,):
        raise ValueError(
            "expected scores of shape (batch, n_words, n_words + 1) and lengths of "
            f"shape (batch,), got {tuple(scores.shape)} and {tuple(lengths.shape)}"
        )
    word = torch.arange(1, n_words + 1, device=scores.device)
    head = torch.arange(n_heads, device=scores.device)
    inside = word[None, :, None] <= lengths[:, None, None]
    inside = inside & (head[None, None, :] <= lengths[:, None, None])
    inside = inside & (head[None, None, :] != word[None, :, None])
    while inside.dim() < scores.dim():
        inside = inside.unsqueeze(-1)
    masked = scores.masked_fill(~inside, -torch.inf)
    if torch.isnan(masked).any():
        raise ValueError("expected arc scores that are numbers, got nan")
    return masked


def words_mask(n_words: int, lengths: Tensor) -> Tensor:
    """Return which positions hold a word, shape (batch, n_words)."""
    return torch.arange(n_words, device=lengths.device) < lengths[:, None]


def are_trees(heads: Tensor, lengths: Tensor, *, single_root: bool = True) -> Tensor:
    """Return which rows of heads are trees, shape (batch,).

    Args:
        heads: Shape (batch, n_words).
        lengths: Shape (batch,).
        single_root: Whether exactly one word may have head 0. A sentence
            without words is a tree.

    Examples:
        >>> heads = torch.tensor([[0, 1, 2], [2, 1, 0], [0, 0, 1]])
        >>> are_trees(heads, torch.tensor([3, 3, 3])).tolist()
        [True, False, False]
        >>> are_trees(heads, torch.tensor([3, 3, 3]), single_root=False).tolist()
        [True, False, True]

    """
    batch, n_words = heads.shape
    if n_words == 0:
        return torch.ones(batch, dtype=torch.bool, device=heads.device)
    words = words_mask(n_words, lengths)
    legal = ((heads >= 0) & (heads <= lengths[:, None])) | ~words
    above = torch.where(words & legal, heads, 0)
    above = torch.nn.functional.pad(above, (1, 0))
    for _ in range(n_words.bit_length()):
        above = above.gather(1, above)
    found = (above == 0).all(dim=1) & legal.all(dim=1)
    if single_root:
        roots = ((heads == 0) & words).sum(dim=1)
        found = found & ((roots == 1) | (lengths == 0))
    return found
