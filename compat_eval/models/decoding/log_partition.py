"""The log of the summed weights of all trees, by the matrix-tree theorem.

The determinant is taken by eliminating one word after another without any
subtraction, on logarithms: scores may lie thousands of nats apart.

Sources: Koo et al., "Structured Prediction Models via the Matrix-Tree
Theorem", EMNLP 2007, https://aclanthology.org/D07-1015; Grassmann, Taksar and
Heyman, "Regenerative analysis and steady state distributions for Markov
chains", Operations Research 33, 1985, https://doi.org/10.1287/opre.33.5.1107
(elimination without subtraction).
"""

import torch
from torch import Tensor

from compat_eval.models.decoding.spanning import possible_arcs, words_mask

_NEVER = -1e30  # stands for -inf, whose gradients are nan


def tree_log_partition(
    scores: Tensor, lengths: Tensor, *, single_root: bool = True
) -> Tensor:
    """Return log Σ exp(score) over all trees of each sentence, in nats.

    Computed in float64; differentiable: the gradient in an arc's score is the
    probability that the arc is in the tree.

    Args:
        scores: Arc scores, shape (batch, n_words, n_words + 1). For labelled
            arcs, their logsumexp over labels.
        lengths: Words of each sentence, shape (batch,).
        single_root: Whether only trees with one word below the root count.

    Returns:
        Shape (batch,), float64: 0 without words, -inf where there is no tree.

    Raises:
        ValueError: Shapes do not fit, or a score is nan.

    Examples:
        >>> flat = torch.zeros(1, 4, 5)
        >>> n = torch.tensor([4])
        >>> round(tree_log_partition(flat, n).exp().item())  # 4 ** 3 trees
        64
        >>> round(tree_log_partition(flat, n, single_root=False).exp().item())
        125

    """
    arcs = possible_arcs(scores.to(torch.float64), lengths)
    n_words = arcs.shape[1]
    if n_words == 0:
        return torch.zeros(len(lengths), dtype=torch.float64, device=scores.device)
    words = words_mask(n_words, lengths)
    possible = arcs > -torch.inf
    root = arcs[:, :, 0].clamp(min=_NEVER).where(words, torch.zeros_like(arcs[:, :, 0]))
    between = arcs[:, :, 1:].clamp(min=_NEVER)
    if not single_root:
        total = _eliminate(root, between)
        return torch.where(total > _NEVER / 2, total, -torch.inf)
    worst, best = _range(arcs.detach(), possible)
    penalty = (best - worst) + n_words * torch.log(lengths + 1.0) + 50.0
    fined = torch.where(words, root - penalty[:, None], root)
    total = _eliminate(fined, between) + torch.where(lengths > 0, penalty, 0.0)
    return torch.where(total > worst - 1.0, total, -torch.inf)


def _range(arcs: Tensor, possible: Tensor) -> tuple[Tensor, Tensor]:
    """Return bounds on what the possible arcs of a tree can sum to."""
    lowest = arcs.where(possible, torch.inf).amin(dim=2)
    highest = arcs.amax(dim=2)
    some = possible.any(dim=2)
    return lowest.where(some, 0.0).sum(dim=1), highest.where(some, 0.0).sum(dim=1)


def _eliminate(root: Tensor, between: Tensor) -> Tensor:
    """Take words out from the last to the first, summing over their heads."""
    total = torch.zeros(len(root), dtype=root.dtype, device=root.device)
    for word in range(root.shape[1] - 1, 0, -1):
        above, on_root = between[:, word, :word], root[:, word]
        weight = torch.logaddexp(above.logsumexp(dim=1), on_root)
        total = total + weight
        below = (between[:, :word, word] - weight[:, None]).clamp(min=_NEVER)
        root = torch.logaddexp(root[:, :word], below + on_root[:, None])
        between = torch.logaddexp(
            between[:, :word, :word], below[:, :, None] + above[:, None, :]
        )
    return total + root[:, 0]
