"""The questions: what was asked, and what the right answer is."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow.compute as pc

from compat_eval.core.arrays import Ints, Values
from compat_eval.core.table import Keyed, bools

SLICE_PREFIX = "slice."

CLASSES_SLICE = "classes"
"""Where an update adds labels: whether OLD knows the right one (`old`) or not (`new`).
Whoever compares two models makes it; a suite may name it in a gate."""

LABEL = "label"
"""Column of queries that are judged by label; their gold are documents of it."""


@dataclass(frozen=True, slots=True)
class Examples(Keyed):
    """Examples, one a row.

    Columns: `id` (string); `input` (text, or what the task kind reads);
    `gold` (the right answer; null where there is none); optionally `cluster`
    (string; examples of one cluster are not independent), `weight` (float64,
    positive), `label` (string) and `slice.<name>` (string; the value of that slice,
    null where the example is in none).
    """

    @property
    def slice_names(self) -> tuple[str, ...]:
        """Names of the slice columns, without the prefix."""
        return tuple(
            name.removeprefix(SLICE_PREFIX)
            for name in self.table.column_names
            if name.startswith(SLICE_PREFIX)
        )

    def tells(self, column: str) -> bool:
        """Whether a column is there and has a value anywhere."""
        return column in self and self.column(column).null_count < len(self)

    def with_gold(self) -> Self:
        """Return the examples that have a gold answer."""
        if not self.tells("gold"):
            return self.take(np.zeros(len(self), np.bool_))
        return self.take(bools(pc.is_valid(self.column("gold"))))

    def weights(self) -> Values | None:
        """Return the weight of each example, or `None` where all count alike."""
        return self.numbers("weight") if "weight" in self else None

    def clusters(self) -> Ints | None:
        """Return a cluster number for each example, or `None` without clusters.

        Numbers run from 0 in order of first appearance. An example without a
        cluster is a cluster of its own.
        """
        if "cluster" not in self:
            return None
        named = pc.binary_join_element_wise("cluster", self.column("cluster"), ":")
        alone = pc.binary_join_element_wise("example", self.ids, ":")
        encoded = pc.coalesce(named, alone).combine_chunks().dictionary_encode()
        return np.asarray(encoded.indices, np.int64)
