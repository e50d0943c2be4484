"""Backward-compatible training: NEW's vectors through OLD's frozen classifier.

Shen et al., "Towards Backward-Compatible Representation Learning", CVPR 2020,
https://arxiv.org/abs/2003.11942. The whole loss is that of the task plus λ times this
one. Classes that OLD's classifier does not know get rows that are synthesised: the mean
of OLD's vectors of the class. Without them, on old data alone, NEW is not made
compatible on new classes.
"""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize, pad

from compat_eval.core.errors import UsageError


def influence_loss(
    vectors: Tensor,
    gold: Tensor,
    old_rows: Tensor,
    *,
    normalised: bool = False,
    scale: float = 1.0,
) -> Tensor:
    """Return the mean nats of the right class through OLD's classifier.

    Args:
        vectors: NEW's, shape (n, d_new); those of fewer dimensions than OLD's are given
            zeros, and of more only the first d_old are read.
        gold: Row of the right class, shape (n,).
        old_rows: OLD's classifier, shape (n_classes, d_old); it gets no gradient.
        normalised: Whether vectors and rows have length 1, as in cosine classifiers.
        scale: What logits are multiplied by; the inverse temperature of cosines.

    """
    rows = old_rows.detach()
    width = rows.shape[1]
    vectors = pad(vectors, (0, max(0, width - vectors.shape[1])))[:, :width]
    if normalised:
        vectors, rows = normalize(vectors, dim=1), normalize(rows, dim=1)
    return cross_entropy(scale * vectors @ rows.T, gold)


def with_synthesised_rows(
    old_rows: Tensor, old_vectors: Tensor, labels: Tensor, n_classes: int
) -> Tensor:
    """Return OLD's classifier with a row for each class, shape (n_classes, d_old).

    Args:
        old_rows: OLD's own rows, of the first classes, shape (n_old, d_old); shape (0,
            d_old) takes the mean of every class.
        old_vectors: OLD's vectors of the training data, shape (n, d_old).
        labels: Their classes, shape (n,).
        n_classes: How many NEW knows.

    Raises:
        UsageError: A class without a row has no vector.

    """
    counts = torch.bincount(labels, minlength=n_classes)
    if empty := (counts[len(old_rows) :] == 0).nonzero().flatten().tolist():
        named = [len(old_rows) + at for at in empty]
        raise UsageError(f"classes {named} have neither a row of OLD's nor a vector")
    sums = old_vectors.new_zeros(n_classes, old_vectors.shape[1])
    sums.index_add_(0, labels, old_vectors)
    means = sums / counts.clamp(min=1).unsqueeze(1)
    return torch.cat([old_rows, means[len(old_rows) :]]).detach()
