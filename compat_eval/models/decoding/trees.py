"""Which arcs may be in a tree, which heads are one, and what a tree scores."""

import torch
from torch import Tensor


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


def tree_scores(scores: Tensor, heads: Tensor, lengths: Tensor) -> Tensor:
    """Return the sum of the arcs of one tree a sentence, shape (batch,)."""
    arcs = scores.gather(2, heads[:, :, None]).squeeze(2)
    words = words_mask(heads.shape[1], lengths)
    return torch.where(words, arcs, torch.zeros_like(arcs)).sum(dim=1)
