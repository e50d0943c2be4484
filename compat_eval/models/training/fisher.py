"""Which weights decide a classifier's answers: the diagonal of Fisher information.

Kirkpatrick et al., "Overcoming catastrophic forgetting in neural networks", PNAS 2017,
https://arxiv.org/abs/1612.00796. It is the empirical one: gradients are of gold.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from compat_eval.core.arrays import Array


def diagonal_fisher(
    network: nn.Module,
    logits: Callable[[Any], Tensor],
    items: Sequence[Any],
    gold: Sequence[str],
    labels: Sequence[str],
) -> Mapping[str, Array]:
    """Return the mean over items of the squared gradient of log p(gold).

    Args:
        network: Whose parameters; its other tensors have 0.
        logits: Returns the logits of one item, shape (n_labels,).
        items: What it reads, one after the other: a batch's gradient is a mean.
        gold: Label of each; items with a label that it lacks do not count.
        labels: Of the logits.

    """
    place = {label: at for at, label in enumerate(labels)}
    sums = {name: torch.zeros_like(one) for name, one in network.state_dict().items()}
    known = [(x, place[y]) for x, y in zip(items, gold, strict=True) if y in place]
    flags = {name: one.requires_grad for name, one in network.named_parameters()}
    network.requires_grad_(requires_grad=True)
    with torch.enable_grad():
        for item, label in known:
            network.zero_grad(set_to_none=True)
            (-log_softmax(logits(item), dim=-1)[label]).backward()  # type: ignore[no-untyped-call]
            for name, one in network.named_parameters():
                if one.grad is not None:
                    sums[name] += one.grad.square() / len(known)
    network.zero_grad(set_to_none=True)
    for name, one in network.named_parameters():
        one.requires_grad_(flags[name])
    return {name: total.float().cpu().numpy() for name, total in sums.items()}
