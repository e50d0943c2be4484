"""How long a model takes for one example."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from compat_eval.core.protocols import Encodes, Item, ModelSource, Predicts


@dataclass(slots=True)
class Stopwatch:
    """A model that is timed; see `ModelSource`.

    Attributes:
        source: The model.
        seconds: Spent on encoding and answering so far.
        answered: How many inputs it answered; stored answers are not among them.

    """

    source: ModelSource
    seconds: float = field(default=0.0, init=False)
    answered: int = field(default=0, init=False)

    @property
    def reference(self) -> str:
        """What the user wrote."""
        return self.source.reference

    @property
    def per_example(self) -> float | None:
        """Seconds for one example; `None` where all answers were stored."""
        return self.seconds / self.answered if self.answered else None

    def fingerprint(self) -> str:
        """Return that of the model."""
        return self.source.fingerprint()

    def describe(self) -> dict[str, Any]:
        """Return what the model says."""
        return self.source.describe()

    def load(self) -> Predicts:
        """Load the model."""
        model = self.source.load()
        return (
            _Encoding(self, model)
            if isinstance(model, Encodes)
            else _Timed(self, model)
        )

    def add(self, seconds: float, answered: int = 0) -> None:
        """Count work that was done."""
        self.seconds += seconds
        self.answered += answered


@dataclass(slots=True)
class _Timed:
    watch: Stopwatch
    model: Any

    def predict(self, items: Sequence[Item]) -> pa.Table:
        start = time.perf_counter()
        table: pa.Table = self.model.predict(items)
        self.watch.add(time.perf_counter() - start, len(items))
        return table


@dataclass(slots=True)
class _Encoding(_Timed):
    def encode(self, inputs: Sequence[Any]) -> Sequence[Item]:
        start = time.perf_counter()
        items: Sequence[Item] = self.model.encode(inputs)
        self.watch.add(time.perf_counter() - start)
        return items
