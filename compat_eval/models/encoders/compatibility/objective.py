"""What the loss of an encoder that is trained beside OLD's vectors is.

A classifier makes vectors and reads them with its last layer. An ordinary `Objective`
sees logits alone; these losses see the vectors, OLD's of the same inputs, and that
layer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

from compat_eval.core.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """All training examples, as OLD sees them.

    Attributes:
        old_vectors: OLD's vectors, shape (n, d_old).
        gold: Number of each example's label, shape (n,).
        labels: Names of the labels that are learned, by number.
        seed: Of what is drawn at random.

    """

    old_vectors: Tensor
    gold: Tensor
    labels: Sequence[str]
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedBatch:
    """A batch between the encoder and its classifier.

    Attributes:
        vectors: NEW's, shape (n, d_new).
        old_vectors: OLD's of the same inputs, shape (n, d_old).
        gold: Number of each right label, shape (n,).
        rows: Which training examples these are, shape (n,).
        head: NEW's classifier, vectors to logits; `None` where the loss of the task is
            another's.

    """

    vectors: Tensor
    old_vectors: Tensor
    gold: Tensor
    rows: Tensor
    head: nn.Module | None

    @property
    def aligned(self) -> Tensor:
        """NEW's vectors with OLD's dimensions: the first ones, zeros where it lacks."""
        return in_dimensions(self.vectors, self.old_vectors.shape[1])

    def nats(self) -> Tensor:
        """Return the loss of the task itself: mean nats of the right label."""
        if self.head is None:
            return self.vectors.new_zeros(())
        return cross_entropy(self.head(self.vectors), self.gold)

    def classifier(self, method: str) -> nn.Module:
        """Return NEW's classifier for a method that works through it.

        Raises:
            UsageError: There is none.

        """
        if self.head is None:
            raise UsageError(f"{method} works through NEW's classifier; give its head")
        return self.head


class VectorLoss(Protocol):
    """A loss that knows the training examples."""

    def begin_epoch(self, vectors: Callable[[], Tensor]) -> None:
        """Take up what NEW makes of all training examples before an epoch.

        Args:
            vectors: Computes that, shape (n, d_new); called only where it is needed.

        """

    def __call__(self, batch: EncodedBatch) -> Tensor:
        """Return the mean loss of a batch."""


@runtime_checkable
class VectorObjective(Protocol):
    """The settings of such a loss."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the training examples that it reads: `OLD_VECTOR`."""

    def beside(self, old: Beside) -> VectorLoss:
        """Return the loss for training examples.

        Raises:
            UsageError: OLD lacks what it needs.

        """


@dataclass(frozen=True, slots=True)
class PlainLoss:
    """A loss that a function of a batch gives: a `VectorLoss`."""

    of_batch: Callable[[EncodedBatch], Tensor]

    def begin_epoch(self, vectors: Callable[[], Tensor]) -> None:
        """Take up nothing."""

    def __call__(self, batch: EncodedBatch) -> Tensor:
        """Return the mean loss of a batch."""
        return self.of_batch(batch)


def in_dimensions(vectors: Tensor, width: int) -> Tensor:
    """Return vectors with the first dimensions, and zeros where there are fewer.

    As the published code of backward-compatible training does where dimensions differ.
    """
    return pad(vectors, (0, max(0, width - vectors.shape[1])))[:, :width]
