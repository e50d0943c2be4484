"""A training loop of one's own in PyTorch, towards OLD's stored logits.

    criterion = PositiveCongruentLoss("focal", TeacherLogits.read("old.parquet"))
    loss = criterion(network(x), y, ids)

Any objective of `OBJECTIVES` can be named; the losses' papers stand in their files.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from compat_eval.core.errors import DataError, UsageError
from compat_eval.mitigations.integrations.teacher_logits import TeacherLogits
from compat_eval.models.classifiers.training import objective_named
from compat_eval.models.training.objectives.objective import Objective


class PositiveCongruentLoss:
    """The loss of a classifier that learns from gold and from OLD.

    Attributes:
        objective: The loss function.
        teacher: OLD's logits, in the order of the network's labels.

    """

    def __init__(self, objective: str, teacher: TeacherLogits, **settings: Any) -> None:  # noqa: ANN401
        """Name the objective.

        Args:
            objective: A name in `OBJECTIVES`.
            teacher: OLD's logits; see `TeacherLogits.for_labels`.
            settings: Of the objective, such as `alpha=1, beta=5`.

        Raises:
            UsageError: It is unknown, or cannot take its settings.

        """
        self.objective: Objective = objective_named(objective, settings)
        self.teacher = teacher

    def columns(
        self, ids: Iterable[object], gold: Tensor, **given: Tensor
    ) -> dict[str, Tensor]:
        """Return what the objective reads besides logits and gold, for a batch.

        Args:
            ids: Of the examples.
            gold: Numbers of their right labels, shape (n_examples,).
            given: Columns that are known already, such as `weight`, or `taught` from
                predictions for examples that OLD was not trained on.

        Raises:
            DataError: OLD has no logits for some examples, or nobody knows a column.

        """
        found = {
            name: torch.from_numpy(column).to(gold.device)
            for name, column in self.teacher.columns(ids, gold.cpu().numpy()).items()
        }
        found |= given
        unknown = [name for name in self.objective.columns if name not in found]
        if unknown:
            raise DataError(
                f"the objective reads {' and '.join(unknown)}, which OLD's logits do "
                "not tell; give it as a column of the examples"
            )
        return {name: found[name] for name in self.objective.columns}

    def __call__(
        self, logits: Tensor, gold: Tensor, ids: Iterable[object], **given: Tensor
    ) -> Tensor:
        """Return the mean loss of a batch; see `columns`.

        Args:
            logits: Of the network, shape (n_examples, n_labels).
            gold: Numbers of the right labels, shape (n_examples,).
            ids: Of the examples.
            given: Columns that are known already.

        """
        if logits.shape[-1] != len(self.teacher.labels):
            raise UsageError(
                f"the network has {logits.shape[-1]} labels, and OLD's logits have "
                f"{len(self.teacher.labels)}: match them by name with "
                "TeacherLogits.for_labels(labels of the network, in their order)"
            )
        return self.objective(logits, gold, **self.columns(ids, gold, **given))


class WithIds(Dataset[Any]):
    """A data set whose items, tuples, end with their ids, for a `DataLoader`."""

    def __init__(self, dataset: Any, ids: Sequence[str]) -> None:  # noqa: ANN401
        """Put ids beside the items.

        Raises:
            UsageError: There is not one id an item.

        """
        if len(dataset) != len(ids):
            raise UsageError(f"{len(dataset)} items need as many ids; got {len(ids)}")
        self._dataset, self._ids = dataset, ids

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, at: int) -> tuple[Any, ...]:
        return (*self._dataset[at], self._ids[at])
