"""The examples of several tasks: one table, in which a column names the task."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
import torch
from torch import Tensor

from compat_eval.core.errors import DataError, some
from compat_eval.core.examples import Examples
from compat_eval.core.table import bools
from compat_eval.models.classifiers.embedding_bag import Hashing
from compat_eval.models.multitask.network import HashedWords, HeadKind
from compat_eval.models.multitask.suites import TEACHER
from compat_eval.models.training.data import label_names, texts_and_labels

HEADS: tuple[HeadKind, ...] = ("classification", "tagging")
"""Task kinds that a head can learn."""

_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedTask:
    """A task and its labels.

    Attributes:
        name: Unique in a model.
        kind: Whether its head answers a label for a text, or one for each word.
        labels: Sorted.

    """

    name: str
    kind: HeadKind
    labels: tuple[str, ...]

    def encode(self, text: str, hashing: Hashing) -> HashedWords:
        """Return a text's words; those of a task that tags are between blanks."""
        words = text.split() if self.kind == "tagging" else _WORD.findall(text)
        return HashedWords(tuple(hashing.of_word(word) for word in words or [""]))


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskExamples:
    """Encoded examples of one task.

    Attributes:
        sentences: The texts.
        gold: The number of each example's label, shape (n_examples,); -1, never right,
            for a label that training does not have. Of a task that tags those of all
            words, one sentence after the other.
        teacher: OLD's logits of each unit, shape (n_units, n_labels); `None` without.
        offsets: Where the units of each example begin in `gold`, and where the last
            ones end; shape (n_examples + 1,).

    """

    sentences: Sequence[HashedWords]
    gold: Tensor
    offsets: Tensor
    teacher: Tensor | None = None

    def __len__(self) -> int:
        return len(self.sentences)

    def units(self, rows: Sequence[int]) -> Tensor:
        """Return where the units of some examples stand in `gold`."""
        return torch.cat(
            [torch.arange(*self.offsets[row : row + 2].tolist()) for row in rows]
        )


def tasks_of(examples: Examples) -> list[LearnedTask]:
    """Return the tasks among training examples, in order of first appearance.

    Raises:
        DataError: A task's kind is no kind of head, or it has fewer than two labels.

    """
    found = []
    for name, part in _by_task(examples):
        kind = part.column("kind")[0].as_py()
        if kind not in HEADS:
            raise DataError(
                f"task {name}: no head learns the task kind {kind!r}; possible are "
                f"{', '.join(HEADS)}"
            )
        gold = texts_and_labels(part)[1]
        if kind == "tagging":
            gold = [tag for tags in gold for tag in tags.split()]
        found.append(LearnedTask(name=name, kind=kind, labels=label_names(gold)))
    return found


def encoded(
    examples: Examples | None, tasks: Sequence[LearnedTask], hashing: Hashing
) -> list[TaskExamples | None]:
    """Return each task's examples; `None` for a task without any.

    Raises:
        DataError: An example has no text or gold, or not a tag for each word.

    """
    if examples is None:
        return [None] * len(tasks)
    parts = dict(_by_task(examples))
    return [
        _encoded(parts[task.name], task, hashing) if task.name in parts else None
        for task in tasks
    ]


def _by_task(examples: Examples) -> Iterator[tuple[str, Examples]]:
    for column in ("task", "kind"):
        if column not in examples:
            raise DataError(
                f"a multitask training needs a column {column!r} of its examples; "
                "`compat-eval train SUITE SUITE … --model multitask` makes it"
            )
    names = examples.column("task")
    for name in pc.unique(names).to_pylist():
        yield name, examples.take(bools(pc.equal(names, name)))


def _encoded(examples: Examples, task: LearnedTask, hashing: Hashing) -> TaskExamples:
    texts, gold = texts_and_labels(examples)
    sentences = [task.encode(text, hashing) for text in texts]
    answers = [one.split() if task.kind == "tagging" else [one] for one in gold]
    if task.kind == "tagging":
        wrong = [
            examples.ids[at].as_py()
            for at, (one, tags) in enumerate(zip(sentences, answers, strict=True))
            if len(one) != len(tags)
        ]
        if wrong:
            raise DataError(
                f"task {task.name}: {len(wrong)} examples have not one tag for each "
                f"word ({some(wrong)}); words and tags are separated by blanks"
            )
    number = {label: at for at, label in enumerate(task.labels)}
    return TaskExamples(
        sentences=sentences,
        gold=torch.tensor([number.get(tag, -1) for tags in answers for tag in tags]),
        offsets=torch.from_numpy(np.cumsum([0, *map(len, answers)])),
        teacher=_teacher(examples, task),
    )


def _teacher(examples: Examples, task: LearnedTask) -> Tensor | None:
    if not examples.tells(TEACHER):
        return None
    logits = np.array(examples.column(TEACHER).to_pylist(), np.float32)
    if task.kind == "tagging" or logits.shape != (len(examples), len(task.labels)):
        raise DataError(
            f"task {task.name}: {TEACHER} must have {len(task.labels)} numbers for "
            "each example of a task that classifies, one for each label"
        )
    return torch.from_numpy(logits)
