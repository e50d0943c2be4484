"""Losses of parsers."""

from torch import Tensor
from torch.nn.functional import cross_entropy


def arc_and_label_loss(
    arcs: Tensor, labels: Tensor, gold_heads: Tensor, gold_labels: Tensor
) -> Tensor:
    """Return mean nats for a word: of its head, and of its label given that head.

    Args:
        arcs: Scores of each word's heads, shape (n_words, n_heads).
        labels: Scores of the labels on its gold arc, shape (n_words, n_labels).
        gold_heads: Shape (n_words,).
        gold_labels: Likewise.

    """
    return cross_entropy(arcs, gold_heads) + cross_entropy(labels, gold_labels)


def sequence_loss(nats: Tensor, n_units: Tensor) -> Tensor:
    """Return mean nats for a unit, such as a token, of gold sequences.

    Args:
        nats: Log p of each step, 0 at padding.
        n_units: How many units there are in all.

    """
    return -nats.sum() / n_units
