"""Contrastive compatibility: nearer to OLD's vector of oneself than to other classes'.

NEW's vector is the anchor and OLD's of the same input the positive. Negatives are OLD's
vectors of other classes, and in regression-alleviating compatible training (RACT) also
NEW's: in an index that is half re-embedded, NEW's vectors of another class compete with
OLD's of the right one. Zhang et al., "Hot-Refresh Model Upgrades with
Regression-Alleviating Compatible Training in Image Retrieval", ICLR 2022,
https://arxiv.org/abs/2201.09724.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import normalize

from compat_eval.models.encoders.compatibility.objective import (
    Beside,
    EncodedBatch,
    PlainLoss,
    VectorLoss,
)
from compat_eval.models.training.data import OLD_VECTOR


def contrastive_loss(
    vectors: Tensor,
    old_vectors: Tensor,
    labels: Tensor,
    *,
    temperature: float = 0.01,
    hardest: int | None = None,
) -> Tensor:
    """Return the mean nats of the positive among OLD's vectors of other classes.

    Args:
        vectors: NEW's, shape (n, d), of any length but 0.
        old_vectors: OLD's of the same inputs, shape (n, d).
        labels: Classes, shape (n,); others of the same class are no negatives.
        temperature: What cosines are divided by.
        hardest: How many negatives of each anchor count, the most similar ones; all
            where absent.

    """
    new, old = normalize(vectors, dim=1), normalize(old_vectors.detach(), dim=1)
    rivals = (new @ old.T).masked_fill(_same(labels), -torch.inf)
    return _nats((new * old).sum(dim=1), rivals, temperature, hardest)


def ract_loss(
    vectors: Tensor,
    old_vectors: Tensor,
    labels: Tensor,
    *,
    temperature: float = 0.01,
    hardest: int | None = 10,
) -> Tensor:
    """Return the same with NEW's vectors of other classes as negatives beside OLD's.

    With all negatives it is never below `contrastive_loss`.
    """
    new, old = normalize(vectors, dim=1), normalize(old_vectors.detach(), dim=1)
    both = torch.cat([new @ old.T, new @ new.T], dim=1)
    rivals = both.masked_fill(_same(labels).repeat(1, 2), -torch.inf)
    return _nats((new * old).sum(dim=1), rivals, temperature, hardest)


def supervised_loss(
    vectors: Tensor, others: Tensor, labels: Tensor, *, temperature: float = 0.1
) -> Tensor:
    """Return the mean nats of each vector's own class among other vectors.

    Khosla et al., "Supervised Contrastive Learning", NeurIPS 2020,
    https://arxiv.org/abs/2004.11362: all others of the class are positives, alike.

    Args:
        vectors: Anchors, shape (n, d), of any length but 0.
        others: Of the same inputs by another model, shape (n, d); no gradient is
            stopped.
        labels: Classes, shape (n,).
        temperature: What cosines are divided by.

    """
    cosines = normalize(vectors, dim=1) @ normalize(others, dim=1).T
    nats = -(cosines / temperature).log_softmax(dim=1)
    same = _same(labels)
    return (torch.where(same, nats, 0.0).sum(dim=1) / same.sum(dim=1)).mean()


def _same(labels: Tensor) -> Tensor:
    return labels.unsqueeze(1) == labels


def _nats(
    positive: Tensor, rivals: Tensor, temperature: float, hardest: int | None
) -> Tensor:
    """Return mean nats of cosines, shape (n,), among others, shape (n, m)."""
    if hardest is not None:
        rivals = rivals.topk(min(hardest, rivals.shape[1]), dim=1).values
    scores = torch.cat([positive.unsqueeze(1), rivals], dim=1) / temperature
    return (scores.logsumexp(dim=1) - positive / temperature).mean()


@dataclass(frozen=True, slots=True)
class ContrastiveTraining:
    """Nats of the task + λ·contrastive loss: a `VectorObjective`.

    Attributes:
        share: λ.
        temperature: What cosines are divided by.
        hardest: How many negatives count; `None` for all.
        alleviating: Whether NEW's vectors are negatives, too (RACT).

    """

    share: float = 1.0
    temperature: float = 0.05
    hardest: int | None = None
    alleviating: bool = False
    columns: ClassVar[tuple[str, ...]] = (OLD_VECTOR,)

    def beside(self, old: Beside) -> VectorLoss:
        """Return the loss; nothing is learned of all examples."""
        return PlainLoss(self._loss)

    def _loss(self, batch: EncodedBatch) -> Tensor:
        nats = ract_loss if self.alleviating else contrastive_loss
        apart = nats(
            batch.aligned,
            batch.old_vectors,
            batch.gold,
            temperature=self.temperature,
            hardest=self.hardest,
        )
        return batch.nats() + self.share * apart
