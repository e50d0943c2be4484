"""Naive re-weighting: what OLD gets right counts more.

The first baseline of Yan et al., "Positive-Congruent Training: Towards Regression-Free
Model Updates", CVPR 2021, https://arxiv.org/abs/2011.09161, section 4.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import cross_entropy


@dataclass(frozen=True, slots=True)
class NaiveReweighting:
    """Nats of the right label, times 1 + λ where OLD is right: an `Objective`.

    The mean over examples; the weights are not normalised.

    Attributes:
        share: λ, how much more it counts.

    """

    share: float = 1.0
    columns: ClassVar[tuple[str, ...]] = ("taught",)

    def __call__(self, logits: Tensor, gold: Tensor, **columns: Tensor) -> Tensor:
        """Return the mean loss of a batch."""
        nats = cross_entropy(logits, gold, reduction="none")
        return ((1 + self.share * columns["taught"]) * nats).mean()
