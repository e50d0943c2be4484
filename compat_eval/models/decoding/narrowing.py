"""Which of the next choices may be drawn: the k most probable, or a share of p.

Top-p: Holtzman et al., "The Curious Case of Neural Text Degeneration", ICLR 2020,
https://arxiv.org/abs/1904.09751.
"""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from compat_eval.core.errors import UsageError

Narrows: TypeAlias = Callable[[Tensor], Tensor]
"""Sets log p of choices (last axis) that are not to be drawn to -inf."""


def most_probable(k: int) -> Narrows:
    """Keep the `k` most probable choices.

    Raises:
        UsageError: `k` is less than 1.

    Examples:
        >>> most_probable(2)(torch.tensor([-1.0, -3.0, -2.0])).tolist()
        [-1.0, -inf, -2.0]

    """
    if k < 1:
        raise UsageError(f"top-k: expected at least 1 choice, got {k}")

    def narrow(nats: Tensor) -> Tensor:
        least = nats.topk(min(k, nats.shape[-1]), dim=-1).values[..., -1:]
        return nats.masked_fill(nats < least, -torch.inf)

    return narrow


def nucleus(p: float) -> Narrows:
    """Keep the fewest choices that have probability `p` together.

    Raises:
        UsageError: `p` is not in (0, 1].

    Examples:
        >>> kept = nucleus(0.7)(torch.tensor([0.5, 0.2, 0.3]).log())
        >>> kept.isfinite().tolist()
        [True, False, True]

    """
    if not 0 < p <= 1:
        raise UsageError(f"top-p: p must be in (0, 1], got {p}")

    def narrow(nats: Tensor) -> Tensor:
        ranked = nats.sort(dim=-1, descending=True)
        shares = ranked.values.exp()
        before = shares.cumsum(dim=-1) - shares
        dropped = torch.zeros_like(nats, dtype=torch.bool)
        dropped = dropped.scatter(-1, ranked.indices, before >= p)
        return nats.masked_fill(dropped, -torch.inf)

    return narrow


def drawn(nats: Tensor, numbers: Tensor) -> Tensor:
    """Return a choice for each number in [0, 1); what is -inf is never drawn.

    Args:
        nats: Shape (…, n_choices), any scale.
        numbers: Shape (…,).

    Examples:
        >>> drawn(torch.tensor([0.5, 0.0, 0.5]).log(), torch.tensor(0.7)).item()
        2

    """
    shares = nats.softmax(dim=-1).double().cumsum(dim=-1)
    wanted = numbers.to(shares) * shares[..., -1]
    return (shares <= wanted.unsqueeze(-1)).sum(dim=-1).clamp(max=nats.shape[-1] - 1)
