"""What recipes of maps share: vectors of models that stay, and one training."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from compat_eval.core.arrays import Ints
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.protocols import ModelSource
from compat_eval.mitigations.mapped import save_mapped
from compat_eval.mitigations.mitigation import Training
from compat_eval.mitigations.train.compatible import vectors_told
from compat_eval.mitigations.train.map_settings import MapSettings
from compat_eval.models.training.loop import BatchSettings, fit_by_adamw
from compat_eval.models.training.workplace import begin, claimed, finished, publish


@dataclass(frozen=True, slots=True, kw_only=True)
class _MapLearner:
    """What the training of a map fits: a `Learner`.

    Attributes:
        network: What is trained.
        of_rows: The mean loss of some examples.
        n: How many examples there are.

    """

    network: nn.Module
    of_rows: Callable[[Sequence[int]], Tensor]
    n: int
    score: str = "loss"

    @property
    def lengths(self) -> Ints:
        """One of each example: all are as long."""
        return np.ones(self.n, np.int64)

    def loss(self, rows: Sequence[int]) -> Tensor:
        """Return the mean loss of some examples."""
        return self.of_rows(rows)

    def dev_accuracy(self) -> float | None:
        """Return nothing: a map is trained to its end."""
        return None


def rows_of(answers: Predictions, examples: Examples, who: str) -> Tensor:
    """Return vectors, shape (n_examples, dimension).

    Raises:
        UsageError: Some examples have none.

    """
    vectors = vectors_told(answers, examples, who)
    return torch.tensor(np.array(vectors.to_pylist(), np.float32))


def classes_of(examples: Examples) -> Tensor:
    """Return the number of each example's class, by name; shape (n_examples,)."""
    labels = examples.column("gold").to_pylist()
    number = {label: at for at, label in enumerate(sorted(set(labels)))}
    return torch.tensor([number[label] for label in labels])


def train_map(
    training: Training,
    settings: MapSettings,
    *,
    method: str,
    network: nn.Module,
    loss: Callable[[Sequence[int]], Tensor],
    kept: tuple[str, nn.Module],
    members: Sequence[ModelSource],
) -> str:
    """Train a map, and keep it beside the models below it; return its reference.

    Args:
        training: What the recipe was given.
        settings: Of the recipe.
        method: The recipe's name.
        network: All that is trained.
        loss: The mean loss of some rows of the training examples.
        kept: Name in `MAPS` and the network that is kept.
        members: The models below it; the first one answers.

    """
    out: Path = training.out
    wanted = {
        "model": "mapped",
        "seed": training.seed,
        "config": {"method": method, **settings.model_dump()},
        "data": {"name": f"{method} of OLD beside {training.data}"},
        "members": [one.fingerprint() for one in members],
    }
    with claimed(out) as work:
        if finished(out, wanted) is None:
            begin(work, out, wanted)
            history = fit_by_adamw(
                _MapLearner(network=network, of_rows=loss, n=len(training.examples)),
                BatchSettings(
                    epochs=settings.epochs,
                    learning_rate=settings.learning_rate,
                    batch_size=settings.batch_size,
                ),
                seed=training.seed,
                out=work,
                progress=training.progress,
            )
            save_mapped(work, kept[1], kept[0], members)
            record: dict[str, Any] = {"schema_version": 1, **wanted, "history": history}
            publish(work, out, record)
    return f"compat:{out}"
