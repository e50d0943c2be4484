"""The k best labelled trees of a batch, exactly.

First the best assignments of a head and label to each word are listed, tree or
not: the trees among them, in their order, are the best trees. Two words' sorted
options combine into one sorted list by the pairs `(i, j)` with
`(i + 1)(j + 1) ≤ m`: no other pair can be among the m best sums.

Only sentences with fewer than k trees in that list are searched one by one: the set
of all trees is split around each tree found (keep its choices for the first words,
forbid its choice for the next one), and a part is solved only when its upper bound,
from the dual prices of the tree it was split from, comes up.

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
import torch
from torch import Tensor

from compat_eval.core.arrays import Ints, Values
from compat_eval.models.decoding.spanning import (
    Spanning,
    are_trees,
    possible_arcs,
    spanning_tree,
    with_root_penalty,
    words_mask,
)

_LISTED = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class _KBest:
    """Trees of each sentence, the best first, no tree twice.

    Attributes:
        heads: Shape (batch, k, n_words); 0 at padding and beyond `counts`.
        labels: Likewise.
        scores: Sum of each tree's arcs, float64, shape (batch, k); -inf beyond
            `counts`.
        counts: How many trees there are, up to k, shape (batch,).

    """

    heads: Tensor
    labels: Tensor
    scores: Tensor
    counts: Tensor


def k_best_trees(
    scores: Tensor, lengths: Tensor, k: int, *, single_root: bool = True
) -> _KBest:
    """Return the k best trees of each sentence over heads and labels jointly.

    Args:
        scores: Labelled arc scores, shape (batch, n_words, n_words + 1,
            n_labels); one label for trees without.
        lengths: Words of each sentence, shape (batch,).
        k: How many trees, at least 1.
        single_root: Whether exactly one word may have head 0.

    Raises:
        ValueError: Shapes do not fit, a score is nan, or k is below 1.

    Examples:
        >>> arcs = torch.tensor([[[5.0, 0.0, 10.0], [1.0, 8.0, 0.0]]])
        >>> best = k_best_trees(arcs[..., None], torch.tensor([2]), k=3)
        >>> best.heads[0].tolist(), best.scores[0].tolist()
        ([[0, 1], [2, 0], [0, 0]], [13.0, 11.0, -inf])

    """
    if k < 1:
        raise ValueError(f"expected k of at least 1, got {k}")
    with torch.no_grad():
        arcs = possible_arcs(scores, lengths)
        found = _empty(arcs, k)
        if arcs.shape[1] == 0:
            found.scores[:, 0] = 0.0
            found.counts[:] = 1
            return found
        complete = _from_list(arcs, lengths, found, single_root=single_root)
        for sentence in torch.nonzero(~complete).flatten().tolist():
            _from_search(arcs, lengths, found, sentence, single_root=single_root)
    return found


def _empty(arcs: Tensor, k: int) -> _KBest:
    batch, n_words = arcs.shape[:2]
    nothing = arcs.new_zeros((batch, k, n_words), dtype=torch.int64)
    return _KBest(
        heads=nothing,
        labels=nothing.clone(),
        scores=arcs.new_full((batch, k), -torch.inf, dtype=torch.float64),
        counts=nothing.new_zeros(batch),
    )


def _from_list(
    arcs: Tensor, lengths: Tensor, found: _KBest, *, single_root: bool
) -> Tensor:
    """Fill in what a list of assignments settles; return which sentences it did."""
    batch, n_words, _, n_labels = arcs.shape
    k = found.scores.shape[1]
    m = max(_LISTED, 4 * k)
    words = words_mask(n_words, lengths)
    options, option_scores = _best_options(arcs.flatten(2), m)
    option_scores = option_scores.to(torch.float64)
    unit = option_scores.new_full((m,), -torch.inf)
    unit[0] = 0.0
    option_scores = torch.where(words[:, :, None], option_scores, unit)
    best = _best_assignments(option_scores, m)
    choice = options.transpose(1, 2).gather(1, best.options)
    choice = torch.where(words[:, None, :], choice, 0)
    heads = choice // n_labels
    tree = are_trees(
        heads.flatten(0, 1), lengths.repeat_interleave(m), single_root=single_root
    ).view(batch, m)
    tree &= best.scores > -torch.inf
    rank = (~tree).to(torch.int8).sort(dim=1, stable=True).indices[:, :k]
    counts = tree.sum(dim=1).clamp(max=k)
    there = torch.arange(k, device=arcs.device) < counts[:, None]
    at = rank[:, :, None].expand(-1, -1, n_words)
    kept = torch.where(there[:, :, None], choice.gather(1, at), 0)
    found.heads.copy_(kept // n_labels)
    found.labels.copy_(kept % n_labels)
    minus_inf = torch.full_like(found.scores, -torch.inf)
    found.scores.copy_(torch.where(there, best.scores.gather(1, rank), minus_inf))
    found.counts.copy_(counts)
    exhausted = best.scores[:, -1] == -torch.inf
    return (counts == k) | exhausted


def _from_search(
    arcs: Tensor, lengths: Tensor, found: _KBest, sentence: int, *, single_root: bool
) -> None:
    n, k = int(lengths[sentence]), found.scores.shape[1]
    dense = arcs[sentence, :n, : n + 1].to("cpu", torch.float64).numpy()
    trees = search_trees(dense, k, single_root=single_root)
    for rows in (found.heads, found.labels):
        rows[sentence] = 0
    found.scores[sentence] = -torch.inf
    found.counts[sentence] = len(trees)
    for rank, tree in enumerate(trees):
        found.heads[sentence, rank, :n] = torch.from_numpy(np.asarray(tree.heads))
        found.labels[sentence, rank, :n] = torch.from_numpy(np.asarray(tree.labels))
        found.scores[sentence, rank] = tree.score


@dataclass(frozen=True, slots=True)
class _Assignments:
    """The best assignments of each sentence, the best first.

    Attributes:
        options: Option of each word, shape (batch, m, n_words).
        scores: Their sums, shape (batch, m); -inf where there are fewer.

    """

    options: Tensor
    scores: Tensor


def _best_options(scores: Tensor, m: int) -> tuple[Tensor, Tensor]:
    """Return the m best options of each word and their scores, the best first.

    Equal scores keep the options' order.

    Args:
        scores: Shape (batch, n_words, n_options).
        m: How many; beyond the number of options the scores are -inf.

    """
    n_options = scores.shape[2]
    found = scores.topk(min(m, n_options), dim=2).indices.sort(dim=2).values
    chosen = scores.gather(2, found)
    ordered, at = chosen.sort(dim=2, descending=True, stable=True)
    missing = max(0, m - n_options)
    return (
        torch.nn.functional.pad(found.gather(2, at), (0, missing)),
        torch.nn.functional.pad(ordered, (0, missing), value=-torch.inf),
    )


def _best_assignments(scores: Tensor, m: int) -> _Assignments:
    """Return the m best assignments of one option to each word.

    Args:
        scores: Shape (batch, n_words, m), sorted from best to worst; a word
            that does not count has 0, -inf, -inf, ….
        m: How many.

    """
    batch, n_words, _ = scores.shape
    size = 1 << max(0, n_words - 1).bit_length()
    padding = scores.new_full((batch, size - n_words, m), -torch.inf)
    padding[:, :, 0] = 0.0
    level = torch.cat([scores, padding], dim=1)
    left, right = _pairs(m, scores.device)
    choices: list[tuple[Tensor, Tensor]] = []
    while level.shape[1] > 1:
        sums = level[:, 0::2][:, :, left] + level[:, 1::2][:, :, right]
        ordered, at = sums.sort(dim=2, descending=True, stable=True)
        level, at = ordered[:, :, :m], at[:, :, :m]
        choices.append((left[at], right[at]))
    options = torch.arange(m, device=scores.device).expand(batch, 1, m)
    for one, other in reversed(choices):
        halves = [one.gather(2, options), other.gather(2, options)]
        options = torch.stack(halves, dim=2).flatten(1, 2)
    return _Assignments(options[:, :n_words].transpose(1, 2), level[:, 0])


def _pairs(m: int, device: torch.device) -> tuple[Tensor, Tensor]:
    pairs = [(i, j) for i in range(m) for j in range(m // (i + 1))]
    left, right = torch.tensor(pairs, device=device).T
    return left, right


@dataclass(frozen=True, slots=True, kw_only=True)
class _LabelledTree:
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
    tree: _LabelledTree
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


def search_trees(scores: Values, k: int, *, single_root: bool) -> list[_LabelledTree]:
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
    found: list[_LabelledTree] = []
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
        tree = _LabelledTree(heads=heads, labels=labels, score=float(chosen.sum()))
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
