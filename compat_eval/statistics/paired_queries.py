"""What queries say about a difference between two ways to serve them.

A measure of each query is a value in [0, 1], higher is better: right or wrong, or a
score such as nDCG. Both ways are asked the same queries, so that what makes a query
hard cancels.
"""

from collections.abc import Sequence

import numpy as np

from compat_eval.core.arrays import Ints, Values
from compat_eval.core.errors import UsageError
from compat_eval.core.rows import CodedRows
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.families.upgrades import UPGRADE_STATISTICS, upgrade_sums
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.intervals.evidence import Evidence
from compat_eval.statistics.paired_rows import PairedRows


def paired_difference(
    before: Values,
    after: Values,
    *,
    right: bool,
    clusters: Ints | None = None,
    seed: int = 0,
    key: Sequence[str] = (),
) -> Evidence:
    """Return the evidence on the mean of `after` less that of `before`.

    Where no query differs at all, resampling says nothing, and yet much is known: as of
    right and wrong answers, the mean cannot move further than the share of queries that
    might differ.

    Args:
        before: A value of each query, shape (n_queries,).
        after: Likewise, of the same queries.
        right: Whether values are right (1) or wrong (0), and no scores.
        clusters: A number of the cluster of each query; `None` where independent.
        seed: Random seed of resampling.
        key: What is compared, which picks the random numbers.

    Raises:
        UsageError: The two are of different queries, or a value is missing.

    """
    if len(before) != len(after) or not np.isfinite([*before, *after]).all():
        raise UsageError("a paired difference needs two finite values of each query")
    if right or np.array_equal(before, after):
        old, new = (before, after) if right else (np.ones(len(before)),) * 2
        codes = (3 - 2 * old - new).astype(np.int64)
        table = FlipTable.of(codes, clusters=clusters, seed=seed, key=tuple(key))
        return evidence(table, FLIP_STATISTICS["accuracy_change"])
    sums = upgrade_sums(old_old=before, new_old=after, new_new=after, paragon=before)
    old_rows, new_rows = map(CodedRows.plain, sums)
    rows = PairedRows(
        old=old_rows, new=new_rows, clusters=clusters, seed=seed, key=tuple(key)
    )
    return evidence(rows, UPGRADE_STATISTICS["gain_points"])
