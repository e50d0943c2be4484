"""What a teacher thinks of each token: its k most probable ones, and the rest as one.

A vocabulary has 50,000 tokens and more, and a text of a million tokens would need 200
GB for all logits. Kept are k numbers and log-probabilities a token; the divergence is
that of the k + 1 events, which is at most the whole one, and the whole one where k is
the size of the vocabulary.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class TopTokens:
    """The most probable next tokens at some positions.

    Attributes:
        ids: Their numbers, the most probable first; shape (n_positions, k).
        log_p: Log of their probabilities at the teacher's temperature, likewise.

    """

    ids: Tensor
    log_p: Tensor

    @classmethod
    def of(cls, logits: Tensor, k: int, temperature: float = 1.0) -> "TopTokens":
        """Return the `k` most probable tokens.

        Args:
            logits: Shape (n_positions, n_tokens).
            k: How many; at most all.
            temperature: Of the probabilities.

        """
        log_p = torch.log_softmax(logits.float() / temperature, dim=-1)
        found = log_p.topk(min(k, logits.shape[-1]), dim=-1)
        return cls(found.indices, found.values)

    def is_right(self, gold: Tensor) -> Tensor:
        """Return 1 where the most probable token is gold and 0 elsewhere."""
        return (self.ids[:, 0] == gold).float()


def divergence(logits: Tensor, teacher: TopTokens, temperature: float = 1.0) -> Tensor:
    """Return KL(teacher ‖ network) in nats, of the teacher's top tokens and the rest.

    Args:
        logits: Of the network, shape (n_positions, n_tokens).
        teacher: At the same temperature.
        temperature: Of the network's probabilities.

    Returns:
        Shape (n_positions,).

    Examples:
        >>> new, old = torch.tensor([[1.0, 1.5, -0.5]]), torch.tensor([[2.0, 0.5, -1]])
        >>> round(float(divergence(new, TopTokens.of(old, 3))), 6)
        0.404396

    """
    own = torch.log_softmax(logits.float() / temperature, dim=-1)
    p = teacher.log_p.exp()
    top = (p * (teacher.log_p - own.gather(-1, teacher.ids))).sum(dim=-1)
    rest = (1 - p.sum(dim=-1)).clamp(min=0)
    if teacher.ids.shape[-1] == logits.shape[-1]:
        return top
    others = own.scatter(-1, teacher.ids, -torch.inf).logsumexp(dim=-1)
    return top + torch.xlogy(rest, rest) - rest * others
