"""How different the documents are that clients keep.

A memory that holds one kind of document, or only the newest, has not much to say of
what came before. Nothing here decides what is kept.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from compat_eval.core.arrays import Ints, Values

FACTS = {
    "n": "documents a client keeps",
    "old_share": "share of them older than the newest period",
    "periods": "effective number of periods: exp of the entropy of their shares",
    "tokens": "tokens a kept document",
    "tokens_of_all": "tokens a document that clients ever had",
    "distinct": "distinct tokens in a client's memory",
}
"""What is told of a memory; all are means over clients that keep something."""


def diversity(
    kept: Mapping[int, Sequence[int]], *, tokens: Ints, periods: Ints, newest: int
) -> dict[str, float | None]:
    """Return the `FACTS` of what clients keep, `None` where nobody keeps anything.

    Args:
        kept: Rows by client.
        tokens: Token ids of each row, shape (n_rows, longest); −1 behind the end.
        periods: Of each row; −1 of rows that are no training documents.
        newest: The newest period.

    """
    all_of_them = np.flatnonzero((periods >= 0) & (periods <= newest))
    each = [np.array(rows, np.int64) for rows in kept.values() if len(rows)]
    if not each:
        return dict.fromkeys(FACTS)
    lengths = (tokens >= 0).sum(axis=1)
    every = np.concatenate(each)
    shares = np.bincount(periods[every], minlength=newest + 1) / len(every)
    found = {
        "n": _mean([len(rows) for rows in each]),
        "old_share": _mean([(periods[rows] < newest).mean() for rows in each]),
        "periods": float(np.exp(_entropy(shares))),
        "tokens": float(lengths[every].mean()),
        "tokens_of_all": float(lengths[all_of_them].mean()),
        "distinct": _mean([_distinct(tokens[rows]) for rows in each]),
    }
    return {name: round(value, 9) for name, value in found.items()}


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _entropy(shares: Values) -> float:
    there = shares[shares > 0]
    return float(-(there * np.log(there)).sum())


def _distinct(tokens: Ints) -> int:
    return len(np.unique(tokens[tokens >= 0]))
