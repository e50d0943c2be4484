"""The scores of ranked documents, and which of these are relevant."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from compat_eval.comparison.panel import Panel
from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.core.errors import DataError

SIMILARITY = "similarity"
"""Column of rankings by vectors: the score of each document, the best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedScores:
    """The documents of each query one below another, the best first.

    Attributes:
        scores: Of all queries' documents, shape (n_ranked,).
        offsets: Query i has `offsets[i]` to `offsets[i + 1]`, shape (n_queries + 1,).

    """

    scores: Values
    offsets: Ints

    @classmethod
    def of(cls, panel: Panel, role: str) -> "RankedScores":
        """Return the scores of a role's rankings.

        Raises:
            DataError: They have none.

        """
        answers = panel.answers[role]
        if SIMILARITY not in answers:
            raise DataError(
                f"the rankings of {role} have no column {SIMILARITY!r}: scores of "
                "documents are known of indices that were searched here"
            )
        column = answers.column(SIMILARITY).combine_chunks()
        flat = np.asarray(column.flatten().to_numpy(zero_copy_only=False), np.float64)
        sizes = np.asarray(column.value_lengths().fill_null(0), np.int64)
        return cls(scores=flat, offsets=np.concatenate([[0], np.cumsum(sizes)]))

    def sizes(self) -> Ints:
        """Return how many documents of each query are ranked."""
        return np.diff(self.offsets)

    def owners(self) -> Ints:
        """Return the query of each score; shape (n_ranked,)."""
        return np.repeat(np.arange(len(self.offsets) - 1), self.sizes())

    def best(self) -> Values:
        """Return the best score of each query that found anything."""
        return self.scores[self.offsets[:-1][self.sizes() > 0]]

    def first(self, chosen: Bools) -> Ints:
        """Return where each query's first chosen document stands; -1 for none."""
        at = np.flatnonzero(chosen)
        owners, firsts = np.unique(self.owners()[at], return_index=True)
        found = np.full(len(self.offsets) - 1, -1, np.int64)
        found[owners] = at[firsts]
        return found


def relevant_ones(panel: Panel, role: str) -> tuple[Bools, Ints]:
    """Return which ranked documents answer their query, and how many would.

    The first of shape (n_ranked,), of all queries one below another; the second of
    shape (n_queries,).
    """
    ranked = panel.answers[role].column("prediction").combine_chunks()
    judged = panel.examples.column("gold").combine_chunks()
    names = pa.concat_arrays(
        [
            ranked.flatten().cast(pa.string()),
            judged.flatten().field("document").cast(pa.string()),
        ]
    ).dictionary_encode()
    codes = np.asarray(names.indices, np.int64)
    width = len(names.dictionary) + 1
    sizes = [_sizes(ranked), _sizes(judged)]
    owners = [np.repeat(np.arange(len(one)), one) for one in sizes]
    split = len(owners[0])
    grades = np.asarray(judged.flatten().field("relevance"), np.int64)
    least = getattr(panel.task, "relevant", 1)
    wanted = owners[1] * width + codes[split:]
    keys = owners[0] * width + codes[:split]
    counts = np.bincount(owners[1][grades >= least], minlength=len(sizes[1]))
    return np.isin(keys, wanted[grades >= least]), counts.astype(np.int64)


def _sizes(lists: pa.ListArray) -> Ints:
    return np.asarray(lists.value_lengths().fill_null(0), np.int64)
