"""Log-probabilities of one parser's relations by another parser.

For relations that a parser does not know, and for their total probability, the other
parser's probabilities are used; this parser only divides the rest among the relations
that both know. Classifiers are mixed in the same way.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def numbers_of(labels: Sequence[str], known: Sequence[str]) -> list[int]:
    """Return where labels stand among those a model knows, -1 where they do not.

    Examples:
        >>> numbers_of(["b", "z", "a"], ["a", "b"])
        [1, -1, 0]

    """
    place = {name: at for at, name in enumerate(known)}
    return [place.get(name, -1) for name in labels]


def translation(
    labels: Sequence[str], known: Sequence[str], device: torch.device
) -> Tensor | None:
    """Return `numbers_of` as a tensor; `None` where both are the same."""
    if tuple(labels) == tuple(known):
        return None
    return torch.tensor(numbers_of(labels, known), device=device)


def under(told: Tensor, numbers: Tensor, base: Tensor) -> Tensor:
    """Return a parser's log p of another one's relations.

    Args:
        told: Its log p of those it knows, shape (..., n_known).
        numbers: Which of these each relation is, -1 for none, shape (n_labels,).
        base: The other one's log p of its own, shape (..., n_labels).

    Examples:
        >>> told, base = torch.tensor([0.2, 0.8]).log(), torch.tensor([0.6, 0.3, 0.1])
        >>> found = under(told, torch.tensor([1, 0, -1]), base.log())
        >>> [round(p, 2) for p in found.exp().tolist()]
        [0.72, 0.18, 0.1]

    """
    shared = numbers >= 0
    found = base.clone()
    if shared.any():
        theirs = told[..., numbers[shared]].log_softmax(dim=-1)
        found[..., shared] = theirs + base[..., shared].logsumexp(dim=-1, keepdim=True)
    return found
