"""How far a network is from a teacher, example by example, on the labels of both.

Where the teacher lacks labels, both are restricted to those that they share, and an
example whose right label the teacher lacks is not taught (Yan et al., CVPR 2021). All
take logits of shape (n_examples, n_labels) and return shape (n_examples,).
"""

import torch
from torch import Tensor
from torch.nn.functional import kl_div, log_softmax

from compat_eval.models.training.data import UNKNOWN_LOGIT, Labels

_NOWHERE = -1e9
"""In place of a logit, so that the probability is 0 and no difference is infinite."""


def shared_labels(teacher: Tensor) -> Tensor:
    """Return which labels the teacher knows, shape (n_examples, n_labels)."""
    return teacher != UNKNOWN_LOGIT


def can_be_taught(teacher: Tensor, gold: Tensor) -> Tensor:
    """Return 1 where the teacher knows the right label and 0 elsewhere."""
    known = shared_labels(teacher).gather(-1, gold.unsqueeze(-1)).squeeze(-1)
    return known.to(teacher.dtype)


def divergence(
    logits: Tensor, teacher: Tensor, temperature: float, over: Labels = "shared"
) -> Tensor:
    """Return KL(teacher ‖ network) of the probabilities at a temperature, in nats.

    It is 0 where there is no label that both know.

    Args:
        logits: Of the network.
        teacher: Of the teacher.
        temperature: Of both models' probabilities.
        over: `shared` restricts both to the labels that both know. With `all`, labels
            that the teacher lacks have probability 0 with it, so that it also teaches
            that they are improbable.

    Examples:
        >>> new, old = torch.tensor([[1.0, 1.5, -0.5]]), torch.tensor([[2.0, 0.5, -1]])
        >>> round(float(divergence(new, old, 1.0)), 6)
        0.404396

    """
    shared = shared_labels(teacher)
    if not bool(shared.all()):
        alone = ~shared if over == "shared" else ~shared.any(dim=-1, keepdim=True)
        logits = logits.masked_fill(alone, _NOWHERE)
        teacher = teacher.masked_fill(~shared, _NOWHERE)
    own = log_softmax(logits / temperature, dim=-1)
    told = log_softmax(teacher / temperature, dim=-1)
    return kl_div(own, told, reduction="none", log_target=True).sum(dim=-1)


def differences(logits: Tensor, teacher: Tensor) -> Tensor:
    """Return the network's logits less the teacher's, 0 at labels not shared.

    Shape (n_examples, n_labels).
    """
    return torch.where(shared_labels(teacher), logits - teacher, 0.0)


def mean_over(values: Tensor, labels: Tensor) -> Tensor:
    """Return the mean over some labels, 0 where there is none.

    Args:
        values: Shape (n_examples, n_labels).
        labels: Which labels count, likewise.

    """
    counted = torch.where(labels, values, 0.0).sum(dim=-1)
    return counted / labels.sum(dim=-1).clamp(min=1)
