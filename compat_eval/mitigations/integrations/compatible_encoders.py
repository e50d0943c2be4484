"""An encoder of one's own in PyTorch, trained to stay compatible with OLD's index.

    criterion = CompatibleEncoderLoss("bct", old_vectors, gold)
    loss = criterion(encoder(x), rows, head)

Any loss of vectors in `OBJECTIVES` can be named; their papers stand in their files.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from compat_eval.core.errors import UsageError
from compat_eval.models.classifiers.training import vector_objective_named
from compat_eval.models.encoders.compatibility.objective import (
    Beside,
    EncodedBatch,
    VectorLoss,
)


class CompatibleEncoderLoss(nn.Module):
    """The loss of an encoder that is trained beside OLD's vectors.

    Attributes:
        old_vectors: OLD's vectors of all training examples, shape (n, d_old).
        gold: Number of each example's class, shape (n,).

    """

    old_vectors: Tensor
    gold: Tensor

    def __init__(
        self,
        objective: str,
        old_vectors: Tensor,
        gold: Tensor | None = None,
        *,
        labels: Sequence[str] | None = None,
        **settings: Any,  # noqa: ANN401 - of the objective
    ) -> None:
        """Name the objective.

        Args:
            objective: A loss of vectors in `OBJECTIVES`, such as `bct`.
            old_vectors: OLD's vectors of all training examples, shape (n, d_old).
            gold: Number of each example's class, shape (n,); each its own where
                absent, as of pairs of queries and documents.
            labels: Names of the classes, for losses that read rows of OLD's classifier;
                their numbers where absent.
            settings: Of the objective, such as `share=3.0`.

        Raises:
            UsageError: It is unknown, cannot take its settings, or sees no vectors; or
                numbers are not finite, or not as many as examples.

        """
        super().__init__()
        gold = torch.arange(len(old_vectors)) if gold is None else gold
        if old_vectors.ndim != 2 or gold.shape != (len(old_vectors),):  # noqa: PLR2004
            raise UsageError(
                f"{objective} needs OLD's vector and a class for each example; got "
                f"vectors of shape {tuple(old_vectors.shape)} and classes of shape "
                f"{tuple(gold.shape)}"
            )
        if not bool(torch.isfinite(old_vectors).all()):
            raise UsageError(f"{objective}: some of OLD's vectors are not finite")
        n = int(gold.max()) + 1 if len(gold) else 0
        self.register_buffer("old_vectors", old_vectors.float(), persistent=False)
        self.register_buffer("gold", gold, persistent=False)
        self._loss: VectorLoss = vector_objective_named(objective, settings).beside(
            Beside(
                old_vectors=self.old_vectors,
                gold=self.gold,
                labels=labels or [str(number) for number in range(n)],
            )
        )

    def begin_epoch(self, vectors: Tensor) -> None:
        """Take up NEW's vectors of all training examples, shape (n, d_new).

        Only `unibct` and `prototype-perturbation` need it, before each epoch.
        """
        self._loss.begin_epoch(vectors.detach)

    def forward(
        self, vectors: Tensor, rows: Tensor, head: nn.Module | None = None
    ) -> Tensor:
        """Return the mean loss of a batch.

        Args:
            vectors: NEW's, shape (n_batch, d_new).
            rows: Which training examples these are, shape (n_batch,).
            head: NEW's classifier, vectors to logits, whose own loss is then part of
                it; without one, add the loss of the task yourself.

        """
        return self._loss(
            EncodedBatch(
                vectors=vectors,
                old_vectors=self.old_vectors[rows],
                gold=self.gold[rows],
                rows=rows,
                head=head,
            )
        )
