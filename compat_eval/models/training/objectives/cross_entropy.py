"""Cross-entropy: nats of the right label."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import cross_entropy


@dataclass(frozen=True, slots=True)
class CrossEntropy:
    """Mean nats of the right label: an `Objective`."""

    columns: ClassVar[tuple[str, ...]] = ()

    def __call__(self, logits: Tensor, gold: Tensor, **_: Tensor) -> Tensor:
        """Return the mean loss of a batch."""
        return cross_entropy(logits, gold)
