"""What the loss of a classifier's training is."""

from typing import Protocol

from torch import Tensor


class Objective(Protocol):
    """The loss of a classifier's training."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of numbers that it reads of the training examples, by name.

        `teacher_logits` has a number for each label that occurs in training, in
        alphabetical order, `UNKNOWN_LOGIT` where the teacher does not know the label;
        `taught` is 1 where the teacher teaches and 0 elsewhere.
        """

    def __call__(self, logits: Tensor, gold: Tensor, **columns: Tensor) -> Tensor:
        """Return the mean loss of a batch.

        Args:
            logits: Of the network, shape (n_examples, n_labels).
            gold: Numbers of the right labels, shape (n_examples,).
            columns: What it reads besides, shape (n_examples, …) each.

        """
