"""Answers of which an example may have several: as flat lists, with offsets.

An example that was answered several times has lists in the columns of its answer, in
the order of its samples.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Ints, Values
from compat_eval.core.predictions import CORRECT_PREFIX, Predictions

SCORE, JUDGE = "score.", "judge."
"""Prefixes of columns: what a scorer, and what a judge, gave an answer."""


@dataclass(frozen=True, slots=True)
class SampledColumn:
    """A column as one value a sample.

    Attributes:
        values: Shape (n_samples,).
        offsets: The samples of example `i` are `offsets[i]` to `offsets[i + 1]`.

    """

    values: pa.Array
    offsets: Ints

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> "SampledColumn":
        """Take a column apart; an example without an answer has as many as the others.

        That is known where all others have as many, and is one otherwise.
        """
        whole = column.combine_chunks()
        if isinstance(whole, pa.ChunkedArray):
            whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([])
        if not is_list(whole.type):
            return cls(whole, np.arange(len(whole) + 1, dtype=np.int64))
        sizes = np.asarray(pc.fill_null(pc.list_value_length(whole), -1), np.int64)
        given = np.unique(sizes[sizes >= 0])
        usual = int(given[0]) if len(given) == 1 else 1
        here = np.where(sizes < 0, usual, sizes)
        offsets = np.concatenate([[0], np.cumsum(here)])
        owner = np.repeat(sizes >= 0, here)
        rows = np.where(owner, np.cumsum(owner) - 1, -1)
        return cls(whole.flatten().take(pa.array(rows, mask=rows < 0)), offsets)

    def sizes(self) -> Ints:
        """Return how many samples each example has."""
        return np.diff(self.offsets)

    def numbers(self) -> Values:
        """Return the values as float64; nan where there is none."""
        found = pc.fill_null(self.values.cast(pa.float64()), np.nan)
        return np.asarray(found, np.float64)

    def of_samples(self, texts: list[Any]) -> list[Any]:
        """Return one value of each example once for each of its samples."""
        return [
            one
            for one, size in zip(texts, self.sizes().tolist(), strict=True)
            for _ in range(size)
        ]

    def means(self, values: Values) -> Values:
        """Return the mean over each example's samples that have a value; else nan."""
        known = ~np.isnan(values)
        owner = np.repeat(np.arange(len(self.offsets) - 1), self.sizes())
        n = len(self.offsets) - 1
        counts = np.bincount(owner[known], minlength=n)
        sums = np.bincount(owner[known], weights=values[known], minlength=n)
        found = np.full(n, np.nan)
        np.divide(sums, counts, out=found, where=counts > 0)
        return found


def is_list(kind: pa.DataType) -> bool:
    """Whether cells of a column are lists, thus samples."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def samples_of(answers: Predictions) -> SampledColumn | None:
    """Return the texts of the samples, or where there are none the grades."""
    for name in ("prediction", f"{CORRECT_PREFIX}sample"):
        if name in answers and answers.column(name).null_count < len(answers):
            return SampledColumn.of(answers.column(name))
    return (
        SampledColumn.of(answers.column("prediction"))
        if "prediction" in answers
        else None
    )


def named(answers: Predictions, prefix: str) -> list[str]:
    """Return the columns with a prefix, without it."""
    return [
        name.removeprefix(prefix)
        for name in answers.table.column_names
        if name.startswith(prefix)
    ]
