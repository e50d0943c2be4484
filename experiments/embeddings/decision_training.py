"""A head on NEW that is trained to be compatible with OLD's index.

Backward-compatible training through OLD's class centroids (Shen et al., CVPR 2020): a
head of two layers on NEW's vectors, whose loss is the influence loss alone, over
labelled texts that are neither in the index nor among the queries.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from compat_eval.core.arrays import Array, Rows
from compat_eval.models.encoders.compatibility.influence import (
    influence_loss,
    with_synthesised_rows,
)

_HIDDEN = 384
_EPOCHS = 20
_BATCH = 128
_SCALE = 16.0


def compatible_head(
    new: Rows, old: Rows, labels: Array, *, seed: int = 0
) -> Callable[[Rows], Rows]:
    """Return a map from NEW's vectors into OLD's space, to unit vectors.

    Args:
        new: NEW's vectors of the training texts, shape (n, d_new).
        old: OLD's vectors of them, shape (n, d_old).
        labels: Their classes, shape (n,).
        seed: Random seed.

    """
    torch.manual_seed(seed)
    codes = np.unique(labels, return_inverse=True)[1]
    classes = torch.from_numpy(np.asarray(codes, np.int64))
    x = torch.from_numpy(new.astype(np.float32))
    centroids = with_synthesised_rows(
        torch.zeros(0, old.shape[1]),
        torch.from_numpy(old.astype(np.float32)),
        classes,
        int(codes.max()) + 1,
    )
    head = nn.Sequential(
        nn.Linear(new.shape[1], _HIDDEN),
        nn.GELU(),
        nn.Dropout(0.2),
        nn.Linear(_HIDDEN, old.shape[1]),
    )
    steps = torch.optim.AdamW(head.parameters(), lr=1e-3, weight_decay=0.01)
    order = torch.Generator().manual_seed(seed)
    for _ in range(_EPOCHS):
        for batch in torch.split(torch.randperm(len(x), generator=order), _BATCH):
            loss = influence_loss(
                head(x[batch]),
                classes[batch],
                centroids,
                normalised=True,
                scale=_SCALE,
            )
            steps.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            steps.step()
    head.eval()

    def mapped(rows: Rows) -> Rows:
        with torch.inference_mode():
            found = head(torch.from_numpy(rows.astype(np.float32)))
        values = found.numpy().astype(np.float64)
        return np.asarray(values / np.linalg.norm(values, axis=1, keepdims=True))

    return mapped


def trained_on(
    texts: Sequence[str], labels: Array, *encoders: Callable[[Sequence[str]], Rows]
) -> Callable[[Rows], Rows]:
    """Return the head of NEW and OLD, the two encoders, on labelled texts."""
    new, old = (encoder(texts) for encoder in encoders)
    return compatible_head(new, old, labels)
