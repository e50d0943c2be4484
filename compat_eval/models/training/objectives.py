"""Loss functions of trainings: pure functions of a network's outputs and targets.

The loss of a classifier is chosen by the setting `objective`, a name in `OBJECTIVES`;
another package can add one, such as a distillation loss, in one file. A teacher's
outputs and weights are columns of the training examples, which the objective names.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from torch import Tensor
from torch.nn.functional import cross_entropy, log_softmax


class Objective(Protocol):
    """The loss of a classifier's training."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of numbers that it reads of the training examples, by name.

        Such as `weight`, or `teacher_logits` with a list of numbers an example: one
        for each label that occurs in training, in alphabetical order.
        """

    def __call__(self, logits: Tensor, gold: Tensor, **columns: Tensor) -> Tensor:
        """Return the mean loss of a batch.

        Args:
            logits: Of the network, shape (n_examples, n_labels).
            gold: Numbers of the right labels, shape (n_examples,).
            columns: What it reads besides, shape (n_examples, …) each.

        """


@dataclass(frozen=True, slots=True)
class CrossEntropy:
    """Mean nats of the right label: an `Objective`."""

    columns: ClassVar[tuple[str, ...]] = ()

    def __call__(self, logits: Tensor, gold: Tensor, **_: Tensor) -> Tensor:
        """Return the mean loss of a batch."""
        return cross_entropy(logits, gold)


@dataclass(frozen=True, slots=True)
class Distillation:
    """Nats of the right label, and towards a teacher's probabilities: an `Objective`.

    α·T²·KL(teacher ‖ network) + (1 − α)·(nats of the right label) where `taught` is 1,
    and the latter alone where it is 0; the mean over examples.

    Attributes:
        alpha: Share of the teacher, in [0, 1].
        temperature: Of both models' probabilities; T² keeps gradients comparable.

    """

    alpha: float = 0.5
    temperature: float = 2.0
    columns: ClassVar[tuple[str, ...]] = ("teacher_logits", "taught")

    def __call__(self, logits: Tensor, gold: Tensor, **columns: Tensor) -> Tensor:
        """Return the mean loss of a batch."""
        own = log_softmax(logits / self.temperature, dim=-1)
        teacher = log_softmax(columns["teacher_logits"] / self.temperature, dim=-1)
        divergence = (teacher.exp() * (teacher - own)).sum(dim=-1)
        share = self.alpha * columns["taught"]
        nats = cross_entropy(logits, gold, reduction="none")
        return (share * self.temperature**2 * divergence + (1 - share) * nats).mean()


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
