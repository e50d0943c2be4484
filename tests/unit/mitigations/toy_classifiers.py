"""Classifiers that know their logits by heart, and offer and score labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.special import log_softmax

from compat_eval.core.arrays import Values
from compat_eval.core.fingerprint import digest
from compat_eval.models.classifiers.answers import answer_table


@dataclass
class ToyClassifier:
    """Gives each text the logits it was told.

    Attributes:
        known: Logits by text.
        labels: In their order.
        calls: How many inputs each call of `predict` had.
        fails: A text with which it raises.

    """

    known: Mapping[str, Sequence[float]]
    labels: tuple[str, ...] = ("a", "b", "c")
    calls: list[int] = field(default_factory=list)
    fails: str | None = None

    def logits(self, items: Sequence[Any]) -> Values:
        if self.fails in items:
            raise RuntimeError(f"cannot read {self.fails}")
        rows = [self.known[item] for item in items]
        return np.array(rows, np.float64).reshape(len(items), len(self.labels))

    def predict(self, items: Sequence[Any]) -> pa.Table:
        self.calls.append(len(items))
        return answer_table(self.logits(items), self.labels)

    def propose(
        self, items: Sequence[Any], *, k: int, rng: np.random.Generator
    ) -> list[list[str]]:
        order = np.argsort(-self.logits(items), axis=-1)[:, :k]
        return [[self.labels[at] for at in row] for row in order]

    def log_probability(
        self, items: Sequence[Any], answers: Sequence[Sequence[str]]
    ) -> list[Values]:
        rows = log_softmax(self.logits(items), axis=-1)
        at = {label: number for number, label in enumerate(self.labels)}
        return [
            np.array([row[at[a]] if a in at else -np.inf for a in of_one])
            for row, of_one in zip(rows, answers, strict=True)
        ]


@dataclass
class ToySource:
    """A toy that is known but not yet loaded; it counts how often it is."""

    model: Any
    reference: str = "toy:model"
    loads: int = 0

    def fingerprint(self) -> str:
        known = getattr(self.model, "known", {})
        return digest([self.reference, {k: list(v) for k, v in known.items()}])

    def describe(self) -> dict[str, Any]:
        return {"format": "toy", "labels": list(getattr(self.model, "labels", ()))}

    def load(self) -> Any:
        self.loads += 1
        return self.model
