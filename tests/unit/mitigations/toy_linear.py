"""A linear classifier of vectors whose weights are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Array, Values
from compat_eval.models.classifiers.answers import answer_table


@dataclass(frozen=True)
class ToyLinear:
    """Logits are rows · x + bias.

    Attributes:
        rows: Shape (n_labels, n_numbers).
        bias: Shape (n_labels,).
        labels: In the order of the rows.
        vocabulary: What the numbers stand for.

    """

    rows: Array
    bias: Array
    labels: tuple[str, ...] = ("a", "b", "c")
    vocabulary: str = "letters"

    @property
    def weights(self) -> dict[str, Array]:
        return {"rows": self.rows, "bias": self.bias, "seen": np.array(7)}

    @property
    def label_axes(self) -> dict[str, int]:
        return {"rows": 0, "bias": 0}

    @property
    def built_as(self) -> dict[str, Any]:
        return {"vocabulary": self.vocabulary}

    def with_weights(self, weights: Mapping[str, Array]) -> "ToyLinear":
        return replace(self, rows=weights["rows"], bias=weights["bias"])

    def save(self, directory: Path) -> None:
        raise NotImplementedError

    def logits(self, items: Sequence[Any]) -> Values:
        found: Values = np.asarray(items, np.float64) @ self.rows.T + self.bias
        return found

    def predict(self, items: Sequence[Any]) -> pa.Table:
        return answer_table(self.logits(items), self.labels)


def linear(
    seed: int, labels: tuple[str, ...] = ("a", "b", "c"), width: int = 4
) -> ToyLinear:
    """Return a random classifier."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(len(labels), width))
    return ToyLinear(rows, rng.normal(size=len(labels)), labels)
