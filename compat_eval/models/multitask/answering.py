"""One task of a network that learned several, as a model of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from compat_eval.core.arrays import Values
from compat_eval.core.errors import ModelError
from compat_eval.core.files import read_json
from compat_eval.core.protocols import Predicts
from compat_eval.models.classifiers.answers import answer_table
from compat_eval.models.classifiers.embedding_bag import Hashing
from compat_eval.models.multitask.network import (
    HashedWords,
    MultitaskNetwork,
    TrunkShape,
)
from compat_eval.models.multitask.tasks import HEADS, LearnedTask
from compat_eval.models.training.saved_weights import read_weights


@dataclass(frozen=True, slots=True, kw_only=True)
class _OneTask:
    """A network, and the task that it is asked about.

    Attributes:
        network: Of all tasks.
        hashing: How it reads words.
        number: Of the task.
        task: Its name, kind and labels as trained.
        labels: What its labels are called, by number.

    """

    network: MultitaskNetwork
    hashing: Hashing
    number: int
    task: LearnedTask
    labels: tuple[str, ...]

    def encode(self, inputs: Sequence[Any]) -> list[HashedWords]:
        """Return one item an input; `len(item)` is its number of words.

        Raises:
            TypeError: An input is no text.

        """
        for given in inputs:
            if not isinstance(given, str):
                raise TypeError(f"the input must be a text; got {type(given).__name__}")
        return [self.task.encode(text, self.hashing) for text in inputs]

    def _logits(self, items: Sequence[HashedWords]) -> Values:
        if not items:
            return np.zeros((0, len(self.labels)))
        with torch.inference_mode():
            (found,) = self.network([(self.number, items)])
        return np.asarray(found.cpu().numpy(), np.float64)


class TaskClassifier(_OneTask):
    """Answers a label for each text."""

    def predict(self, items: Sequence[HashedWords]) -> pa.Table:
        """Answer a batch: `prediction`, `score`, `margin` and `error`."""
        return answer_table(self.logits(items), self.labels)

    def logits(self, items: Sequence[HashedWords]) -> Values:
        """Return logits, shape (n_items, n_labels)."""
        return self._logits(items)


class TaskTagger(_OneTask):
    """Answers a tag for each word, with blanks between."""

    def predict(self, items: Sequence[HashedWords]) -> pa.Table:
        """Answer a batch: `prediction`."""
        tags = [self.labels[at] for at in self._logits(items).argmax(axis=-1)]
        ends = np.cumsum([len(item) for item in items]).tolist()
        starts = [0, *ends[:-1]]
        answers = [
            " ".join(tags[start:end]) for start, end in zip(starts, ends, strict=True)
        ]
        return pa.table({"prediction": pa.array(answers, pa.string())})


def load(
    directory: Path, *, labels: tuple[str, ...], device: str, task: str
) -> Predicts:
    """Read what `train` wrote, for one of its tasks.

    Raises:
        ModelError: The weights do not fit the configuration.

    """
    config = read_json(directory / "config.json")
    hashing = Hashing(**config["hashing"])
    tasks = learned_tasks(config)
    number = next(at for at, one in enumerate(tasks) if one.name == task)
    network = MultitaskNetwork(
        TrunkShape(n_buckets=hashing.n_buckets, **config["trunk"]),
        [(one.kind, len(one.labels)) for one in tasks],
    )
    read_weights(network, directory, device)
    kind = TaskTagger if tasks[number].kind == "tagging" else TaskClassifier
    return kind(
        network=network,
        hashing=hashing,
        number=number,
        task=tasks[number],
        labels=labels,
    )


def learned_tasks(config: Any) -> list[LearnedTask]:  # noqa: ANN401 - as read from JSON
    """Return the tasks that a saved model's config.json tells.

    Raises:
        ModelError: It tells none.

    """
    try:
        found = [
            LearnedTask(
                name=str(one["name"]),
                kind=HEADS[HEADS.index(one["kind"])],
                labels=tuple(map(str, one["labels"])),
            )
            for one in config["tasks"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            "config.json tells no tasks; restore the file, or train the model again"
        ) from error
    return found
