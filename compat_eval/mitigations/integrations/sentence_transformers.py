"""A loss for `SentenceTransformerTrainer`: NEW stays compatible with OLD's index.

    train = Dataset.from_dict({"sentence": texts, "label": range(len(texts))})
    loss = CompatibleSentenceLoss(model, "contrastive", old.encode(texts))

Any module of sentence-transformers that returns `sentence_embedding` can be the model;
nothing of that package is imported here. The column `label` holds the number of each
example, so that its OLD vector is found.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from compat_eval.core.arrays import Array
from compat_eval.core.errors import UsageError
from compat_eval.mitigations.integrations.compatible_encoders import (
    CompatibleEncoderLoss,
)

_VECTOR = "sentence_embedding"


class CompatibleSentenceLoss(nn.Module):
    """A loss of sentence-transformers beside OLD's vectors.

    Attributes:
        model: What is trained.
        head: NEW's classifier, which is trained with it; `None` for none.
        task: A further loss of sentence-transformers, such as one of pairs; its value
            is added. It gets the same features and labels.

    """

    def __init__(
        self,
        model: Callable[[dict[str, Any]], Mapping[str, Any]],
        objective: str,
        old_vectors: Array | Tensor,
        gold: Iterable[int] | None = None,
        *,
        head: nn.Module | None = None,
        task: nn.Module | None = None,
        column: int = 0,
        **settings: Any,  # noqa: ANN401 - of the objective
    ) -> None:
        """Name the objective.

        Args:
            model: What is trained.
            objective: A loss of vectors in `OBJECTIVES`, such as `contrastive`.
            old_vectors: OLD's vectors of the training examples, shape (n, d_old).
            gold: Class of each; each its own where absent.
            head: NEW's classifier of those classes, vectors to logits.
            task: A further loss of sentence-transformers.
            column: Which text of an example OLD's vectors are of, counted from 0.
            settings: Of the objective.

        Raises:
            UsageError: See `CompatibleEncoderLoss`.

        """
        super().__init__()
        self.model, self.head, self.task = model, head, task
        self._column = column
        self._told = {"objective": objective, "column": column, **settings}
        classes = None if gold is None else torch.as_tensor(list(gold))
        vectors = torch.as_tensor(np.asarray(old_vectors), dtype=torch.float32)
        self.compatible = CompatibleEncoderLoss(objective, vectors, classes, **settings)

    def forward(
        self, sentence_features: Iterable[dict[str, Tensor]], labels: Tensor
    ) -> Tensor:
        """Return the mean loss of a batch.

        Args:
            sentence_features: What the tokenizer made of each text of the examples.
            labels: Numbers of the examples, shape (n_batch,).

        Raises:
            UsageError: They are no numbers of examples.

        """
        features = list(sentence_features)
        rows = labels.reshape(-1).long()
        n = len(self.compatible.old_vectors)
        if len(rows) and not bool(
            (rows == labels.reshape(-1)).all() & (rows < n).all()
        ):
            raise UsageError(
                f"the column `label` must hold the number of each example, from 0 to "
                f"{n - 1}; got {labels.reshape(-1)[:5].tolist()}"
            )
        vectors = self.model(dict(features[self._column]))[_VECTOR]
        loss: Tensor = self.compatible(vectors, rows, self.head)
        return loss if self.task is None else loss + self.task(features, labels)

    def get_config_dict(self) -> Mapping[str, Any]:
        """Return what a model card says of the loss."""
        return self._told
