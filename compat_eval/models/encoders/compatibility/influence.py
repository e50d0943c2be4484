"""Backward-compatible training: NEW's vectors through OLD's frozen classifier.

Shen et al., "Towards Backward-Compatible Representation Learning", CVPR 2020,
https://arxiv.org/abs/2003.11942. The whole loss is that of the task plus λ times this
one. Classes that OLD's classifier does not know get rows that are synthesised: the mean
of OLD's vectors of the class. Without them, on old data alone, NEW is not made
compatible on new classes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from compat_eval.core.errors import UsageError
from compat_eval.models.encoders.compatibility.distance import squared_distance
from compat_eval.models.encoders.compatibility.objective import (
    Beside,
    EncodedBatch,
    PlainLoss,
    VectorLoss,
    in_dimensions,
)
from compat_eval.models.training.data import OLD_VECTOR, RowsOf
from compat_eval.models.training.saved_weights import rows_of_labels


def influence_loss(
    vectors: Tensor,
    gold: Tensor,
    old_rows: Tensor,
    *,
    normalised: bool = False,
    scale: float = 1.0,
) -> Tensor:
    """Return the mean nats of the right class through OLD's classifier.

    Args:
        vectors: NEW's, shape (n, d_new); those of fewer dimensions than OLD's are given
            zeros, and of more only the first d_old are read.
        gold: Row of the right class, shape (n,).
        old_rows: OLD's classifier, shape (n_classes, d_old); it gets no gradient.
        normalised: Whether vectors and rows have length 1, as in cosine classifiers.
        scale: What logits are multiplied by; the inverse temperature of cosines.

    """
    rows = old_rows.detach()
    vectors = in_dimensions(vectors, rows.shape[1])
    if normalised:
        vectors, rows = normalize(vectors, dim=1), normalize(rows, dim=1)
    return cross_entropy(scale * vectors @ rows.T, gold)


def with_synthesised_rows(
    old_rows: Tensor, old_vectors: Tensor, labels: Tensor, n_classes: int
) -> Tensor:
    """Return OLD's classifier with a row for each class, shape (n_classes, d_old).

    Args:
        old_rows: OLD's own rows, of the first classes, shape (n_old, d_old); shape (0,
            d_old) takes the mean of every class.
        old_vectors: OLD's vectors of the training data, shape (n, d_old).
        labels: Their classes, shape (n,).
        n_classes: How many NEW knows.

    Raises:
        UsageError: A class without a row has no vector.

    """
    counts = torch.bincount(labels, minlength=n_classes)
    if empty := (counts[len(old_rows) :] == 0).nonzero().flatten().tolist():
        named = [len(old_rows) + at for at in empty]
        raise UsageError(f"classes {named} have neither a row of OLD's nor a vector")
    sums = old_vectors.new_zeros(n_classes, old_vectors.shape[1])
    sums.index_add_(0, labels, old_vectors)
    means = sums / counts.clamp(min=1).unsqueeze(1)
    return torch.cat([old_rows, means[len(old_rows) :]]).detach()


@dataclass(frozen=True, slots=True)
class InfluenceTraining:
    """Nats of the task + λ·influence loss (BCT) + μ·distance: a `VectorObjective`.

    With a large OLD and a small NEW this is heterogeneous search: the query's network
    learns through the gallery's classifier, and towards its vectors (Duggal et al.,
    CVPR 2021, https://arxiv.org/abs/2105.06047).

    Attributes:
        rows: Of what OLD's frozen classifier is made; see `RowsOf`.
        old: OLD's directory, whose last layer has its own rows; not read for
            `centroids-all`.
        share: λ.
        normalised: Whether vectors and rows have length 1. Rows that are means and rows
            that were learned have different lengths otherwise.
        scale: What logits are multiplied by.
        task: Weight of the nats of the task.
        distance: μ, weight of the squared distance to OLD's own vectors; 0 for none.

    """

    rows: RowsOf = "centroids-all"
    old: str | None = None
    share: float = 1.0
    normalised: bool = True
    scale: float = 20.0
    task: float = 1.0
    distance: float = 0.0
    columns: ClassVar[tuple[str, ...]] = (OLD_VECTOR,)

    def beside(self, old: Beside) -> VectorLoss:
        """Return the loss through OLD's classifier."""
        rows, place = self._classifier(old)

        def loss(batch: EncodedBatch) -> Tensor:
            at = place[batch.gold]
            known = at >= 0
            apart = self._apart(batch)
            if not bool(known.any()):
                return apart
            influence = influence_loss(
                batch.vectors[known],
                at[known],
                rows,
                normalised=self.normalised,
                scale=self.scale,
            )
            return apart + self.share * known.float().mean() * influence

        return PlainLoss(loss)

    def _apart(self, batch: EncodedBatch) -> Tensor:
        """Return what does not go through OLD's classifier."""
        found = batch.vectors.new_zeros(())
        if self.task:
            found = found + self.task * batch.nats()
        if self.distance:
            found = found + self.distance * squared_distance(
                batch.aligned, batch.old_vectors
            )
        return found

    def _classifier(self, old: Beside) -> tuple[Tensor, Tensor]:
        """Return OLD's classifier, and the row of each label, -1 where it has none."""
        n = len(old.labels)
        own: Mapping[str, Tensor] = {}
        if self.rows != "centroids-all":
            own = self._own_rows(old)
        known = [label for label in old.labels if label in own]
        order = [*known, *(label for label in old.labels if label not in own)]
        place = torch.tensor([order.index(label) for label in old.labels])
        vectors = normalize(old.old_vectors, dim=1)
        first = vectors.new_zeros(0, vectors.shape[1])
        if known:
            first = torch.stack([own[label] for label in known])
        if self.rows == "old-only":
            return first, torch.where(place < len(known), place, -1)
        if self.normalised:
            first = normalize(first, dim=1)
        else:
            vectors = old.old_vectors
        return with_synthesised_rows(first, vectors, place[old.gold], n), place

    def _own_rows(self, old: Beside) -> Mapping[str, Tensor]:
        if self.old is None:
            raise UsageError(
                f"bct: rows={self.rows} needs `old`, the directory of OLD, for the rows"
                " of its classifier; rows=centroids-all needs none"
            )
        own = rows_of_labels(Path(self.old).expanduser())
        width = old.old_vectors.shape[1]
        if not set(own) & set(old.labels):
            raise UsageError(
                f"bct: OLD's classifier ({self.old}) has no row of the "
                f"{len(old.labels)} labels that are learned; rows=centroids-all needs "
                "none"
            )
        if any(row.shape != (width,) for row in own.values()):
            raise UsageError(
                f"bct: OLD's classifier ({self.old}) does not read OLD's vectors of "
                f"{width} dimensions; rows=centroids-all needs none of its rows"
            )
        return own
