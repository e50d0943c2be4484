"""What the trainings of text classifiers share: settings, labelled texts, the loss."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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
from compat_eval.models.encoders.compatibility.objective import (
    Beside,
    EncodedBatch,
    VectorLoss,
    VectorObjective,
)
from compat_eval.models.training.data import OLD_VECTOR, texts_and_labels
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

    def made_objective(self) -> Objective | VectorObjective:
        """Return the loss of these settings.

        Raises:
            UsageError: It is unknown, or cannot take its settings.

        """
        return _loss_named(self.objective, self.objective_settings)

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
    """Return a loss of logits alone.

    Args:
        name: One of `OBJECTIVES`.
        settings: Its parameters.

    Raises:
        UsageError: It is unknown, cannot take its settings, or sees vectors.

    """
    made = _loss_named(name, settings)
    if isinstance(made, VectorObjective):
        raise UsageError(
            f"the objective {name} sees the vectors of both models, and there are "
            "logits alone; compat_eval.mitigations.integrations has losses of vectors"
        )
    return made


def vector_objective_named(name: str, settings: Mapping[str, Any]) -> VectorObjective:
    """Return a loss that sees vectors.

    Raises:
        UsageError: It is unknown, cannot take its settings, or sees logits alone.

    """
    made = _loss_named(name, settings)
    if not isinstance(made, VectorObjective):
        raise UsageError(f"the objective {name} sees logits alone, and no vectors")
    return made


def _loss_named(name: str, settings: Mapping[str, Any]) -> Objective | VectorObjective:
    kind = OBJECTIVES.load(name)
    try:
        made: Objective | VectorObjective = kind(**settings)
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
        labels: Names of the labels, by number.
        further: Other columns of numbers by name, shape (n_texts, …) each.

    """

    items: Sequence[Any]
    gold: Tensor
    labels: Sequence[str]
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
            labels=labels,
            further={name: _numbers(examples, name) for name in columns},
        )

    @property
    def lengths(self) -> Ints:
        """Length of each text, shape (n_texts,)."""
        return np.array([len(item) for item in self.items], np.int64)


@dataclass(slots=True, kw_only=True, eq=False)
class ClassifierLearner:
    """What the training of a classifier fits: a `Learner`.

    Attributes:
        network: What is trained; `head`, its last layer, reads its vectors.
        logits: Returns the network's logits for items.
        objective: The loss.
        train: What to learn from.
        dev: What to stop early by.
        vectors: Returns the network's vectors for items; `None` where it has none that
            a loss could see.

    """

    network: nn.Module
    logits: Callable[[Sequence[Any]], Tensor]
    objective: Objective | VectorObjective
    train: LabelledTexts
    dev: LabelledTexts | None
    vectors: Callable[[Sequence[Any]], Tensor] | None = None
    score: str = "accuracy"
    _beside: VectorLoss | None = field(default=None, init=False)
    _seen: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if isinstance(self.objective, VectorObjective):
            if self.vectors is None:
                raise UsageError(
                    "settings: objective: the loss needs vectors that the last layer "
                    "reads, which this kind of model does not tell; choose text-cnn, "
                    "text-transformer, embedding-bag, head or cnn"
                )
            self._beside = self.objective.beside(
                Beside(
                    old_vectors=self.train.further[OLD_VECTOR],
                    gold=self.train.gold,
                    labels=self.train.labels,
                )
            )

    @property
    def lengths(self) -> Ints:
        """Length of each training text."""
        return self.train.lengths

    def loss(self, rows: Sequence[int]) -> Tensor:
        """Return the mean loss of some training texts."""
        train, chosen = self.train, list(rows)
        items = [train.items[row] for row in rows]
        if self._beside is None:
            assert not isinstance(self.objective, VectorObjective)
            return self.objective(
                self.logits(items),
                train.gold[chosen],
                **{name: column[chosen] for name, column in train.further.items()},
            )
        assert self.vectors is not None
        # Every epoch sees every example once, and a training goes on between epochs.
        if self._seen % len(train.items) == 0:
            self._beside.begin_epoch(self._all_vectors)
        self._seen += len(chosen)
        return self._beside(
            EncodedBatch(
                vectors=self.vectors(items),
                old_vectors=train.further[OLD_VECTOR][chosen],
                gold=train.gold[chosen],
                rows=torch.tensor(chosen),
                head=self.network.get_submodule("head"),
            )
        )

    def _all_vectors(self) -> Tensor:
        """Return the network's vectors of all training texts, as it would answer."""
        assert self.vectors is not None
        order = np.argsort(self.train.lengths, kind="stable")
        self.network.eval()
        with torch.no_grad():
            parts = [
                self.vectors([self.train.items[row] for row in rows])
                for rows in np.array_split(order, max(1, len(order) // _DEV_BATCH))
            ]
        self.network.train()
        found = torch.cat(parts)
        return found[torch.from_numpy(np.argsort(order))]

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
