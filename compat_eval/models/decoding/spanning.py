"""Maximum spanning trees of a batch.

Each word takes its best head, in one pass over the batch; where that is no
tree, and only there, cycles are contracted. The idea is that of common parser
practice: trained scores mostly give a tree at once.
"""

import numpy as np
import torch
from torch import Tensor

from compat_eval.models.decoding.contraction import spanning_tree
from compat_eval.models.decoding.trees import are_trees, possible_arcs, words_mask


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
