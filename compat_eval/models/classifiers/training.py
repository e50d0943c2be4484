"""What the trainings of text classifiers share: settings, labelled texts, the loss."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.models import OBJECTIVES
from compat_eval.models.training.data import texts_and_labels
from compat_eval.models.training.loop import BatchSettings
from compat_eval.models.training.objectives.objective import Objective

_DEV_BATCH = 64


class ClassifierSettings(BatchSettings):
    """How a text classifier is trained."""

    objective: str = "cross-entropy"
    """Name of the loss, one of `OBJECTIVES`."""
    objective_settings: dict[str, Any] = Field(default_factory=dict)
    """Parameters of the loss."""
    start: Path | None = None
    """Directory of a trained model of the same kind, from whose weights to begin."""

    def made_objective(self) -> Objective:
        """Return the objective; see `objective_named`."""
        return objective_named(self.objective, self.objective_settings)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the examples that a training with these settings reads."""
        return ("input", "gold", *self.made_objective().columns)

    @property
    def plugins(self) -> tuple[str, ...]:
        """The module of an objective of another package."""
        if self.objective in OBJECTIVES.builtin:
            return ()
        return (type(self.made_objective()).__module__,)


def objective_named(name: str, settings: Mapping[str, Any]) -> Objective:
    """Return the loss of a classifier's training.

    Args:
        name: One of `OBJECTIVES`.
        settings: Its parameters.

    Raises:
        UsageError: It is unknown, or cannot take its settings.

    """
    kind = OBJECTIVES.load(name)
    try:
        made: Objective = kind(**settings)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"settings: objective_settings: {name} cannot take {dict(settings)}: "
            f"{error}"
        ) from error
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledTexts:
    """Encoded texts with numbers of their labels.

    Attributes:
        items: The texts; `len(item)` is a text's length.
        gold: Number of each text's label, shape (n_texts,); -1, never right, for a
            label that training does not have.
        further: Other columns of numbers by name, shape (n_texts, …) each.

    """

    items: Sequence[Any]
    gold: Tensor
    further: Mapping[str, Tensor]

    @classmethod
    def of(
        cls,
        examples: Examples,
        labels: Sequence[str],
        encode: Callable[[list[str]], Sequence[Any]],
        *,
        columns: Sequence[str] = (),
    ) -> "LabelledTexts":
        """Encode examples.

        Args:
            examples: With columns `input` and `gold`.
            labels: Names of the labels in their order.
            encode: Encodes texts.
            columns: Further columns that are needed.

        Raises:
            DataError: An input is no text, an example has no gold label, or a column
                is missing or has other things than equally many numbers.

        """
        texts, gold = texts_and_labels(examples)
        number = {label: at for at, label in enumerate(labels)}
        return cls(
            items=encode(texts),
            gold=torch.tensor([number.get(label, -1) for label in gold]),
            further={name: _numbers(examples, name) for name in columns},
        )

    @property
    def lengths(self) -> Ints:
        """Length of each text, shape (n_texts,)."""
        return np.array([len(item) for item in self.items], np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierLearner:
    """What the training of a classifier fits: a `Learner`.

    Attributes:
        network: What is trained.
        logits: Returns the network's logits for items.
        objective: The loss.
        train: What to learn from.
        dev: What to stop early by.

    """

    network: nn.Module
    logits: Callable[[Sequence[Any]], Tensor]
    objective: Objective
    train: LabelledTexts
    dev: LabelledTexts | None
    score: str = "accuracy"

    @property
    def lengths(self) -> Ints:
        """Length of each training text."""
        return self.train.lengths

    def loss(self, rows: Sequence[int]) -> Tensor:
        """Return the mean loss of some training texts."""
        train, chosen = self.train, list(rows)
        return self.objective(
            self.logits([train.items[row] for row in rows]),
            train.gold[chosen],
            **{name: column[chosen] for name, column in train.further.items()},
        )

    @torch.inference_mode()
    def dev_accuracy(self) -> float | None:
        """Return the share of dev texts whose most probable label is right."""
        if self.dev is None:
            return None
        order = np.argsort(self.dev.lengths, kind="stable").tolist()
        right = 0
        for start in range(0, len(order), _DEV_BATCH):
            rows = order[start : start + _DEV_BATCH]
            answers = self.logits([self.dev.items[row] for row in rows]).argmax(-1)
            right += int((answers == self.dev.gold[rows]).sum())
        return right / len(order)


def _numbers(examples: Examples, name: str) -> Tensor:
    if name not in examples.table.column_names:
        raise DataError(f"the objective needs a column {name!r} of training examples")
    try:
        values = np.array(examples.column(name).to_pylist(), np.float32)
    except (TypeError, ValueError):
        values = np.array([np.nan])
    if not np.isfinite(values).all():
        raise DataError(
            f"the objective needs equally many numbers of each example, all finite, in "
            f"the column {name!r}"
        )
    return torch.from_numpy(values)
