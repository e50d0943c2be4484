"""The k best labelled trees of a batch, exactly.

First the best assignments of a head and label to each word are listed, tree or
not: the trees among them, in their order, are the best trees. Only sentences
with fewer than k trees in that list are searched one by one.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from compat_eval.models.decoding.assignments import best_assignments, best_options
from compat_eval.models.decoding.search import search_trees
from compat_eval.models.decoding.trees import are_trees, possible_arcs, words_mask

_LISTED = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class KBest:
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
) -> KBest:
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


def _empty(arcs: Tensor, k: int) -> KBest:
    batch, n_words = arcs.shape[:2]
    nothing = arcs.new_zeros((batch, k, n_words), dtype=torch.int64)
    return KBest(
        heads=nothing,
        labels=nothing.clone(),
        scores=arcs.new_full((batch, k), -torch.inf, dtype=torch.float64),
        counts=nothing.new_zeros(batch),
    )


def _from_list(
    arcs: Tensor, lengths: Tensor, found: KBest, *, single_root: bool
) -> Tensor:
    """Fill in what a list of assignments settles; return which sentences it did."""
    batch, n_words, _, n_labels = arcs.shape
    k = found.scores.shape[1]
    m = max(_LISTED, 4 * k)
    words = words_mask(n_words, lengths)
    options, option_scores = best_options(arcs.flatten(2), m)
    option_scores = option_scores.to(torch.float64)
    unit = option_scores.new_full((m,), -torch.inf)
    unit[0] = 0.0
    option_scores = torch.where(words[:, :, None], option_scores, unit)
    best = best_assignments(option_scores, m)
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
    arcs: Tensor, lengths: Tensor, found: KBest, sentence: int, *, single_root: bool
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
