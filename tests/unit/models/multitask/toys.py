"""Two small tasks, one of which is harder, and a tiny network for them."""

import numpy as np
import pyarrow as pa

from compat_eval.core.examples import Examples
from compat_eval.models.classifiers.embedding_bag import Hashing
from compat_eval.models.multitask.network import MultitaskNetwork, TrunkShape
from compat_eval.models.multitask.suites import joined
from compat_eval.models.multitask.tasks import (
    LearnedTask,
    TaskExamples,
    encoded,
    tasks_of,
)
from compat_eval.models.training.loop import seeded

HASHING = Hashing(n_buckets=64, shortest=3, longest=3)
_WORDS = ("red", "green", "blue", "black", "white", "brown")


def examples(
    n: int, seed: int, *, tasks: tuple[str, ...] = ("first", "words")
) -> Examples:
    """Return texts of colours: their first word, or a tag for each; some wrong."""
    rng = np.random.default_rng(seed)
    parts = []
    for task in tasks:
        texts = [" ".join(rng.choice(_WORDS, size=4)) for _ in range(n)]
        if task == "words":
            kind = "tagging"
            gold = [
                " ".join("B" if w[0] == "b" else "O" for w in t.split()) for t in texts
            ]
        else:
            kind = "classification"
            gold = [text.split()[0] for text in texts]
            wrong = rng.random(n) < 0.3
            gold = [
                str(rng.choice(_WORDS)) if bad else label
                for bad, label in zip(wrong, gold, strict=True)
            ]
        table = {"id": [f"{seed}-{i}" for i in range(n)], "input": texts, "gold": gold}
        parts.append((task, kind, Examples(pa.table(table))))
    return joined(parts)


def network_for(tasks: list[LearnedTask], *, dropout: float = 0.0) -> MultitaskNetwork:
    shape = TrunkShape(n_buckets=64, width=8, hidden=8, window=3)
    heads = [(task.kind, len(task.labels)) for task in tasks]
    return seeded(lambda: MultitaskNetwork(shape, heads, dropout=dropout), 0)


def task_data(
    tasks: tuple[str, ...] = ("first", "words"),
) -> tuple[list[LearnedTask], list[TaskExamples], list[TaskExamples | None]]:
    train, dev = examples(48, 1, tasks=tasks), examples(40, 2, tasks=tasks)
    found = tasks_of(train)
    known = [one for one in encoded(train, found, HASHING) if one is not None]
    return found, known, encoded(dev, found, HASHING)
