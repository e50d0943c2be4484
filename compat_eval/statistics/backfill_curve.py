"""The backfill curve: quality by how much of the index is embedded anew.

Jaeckle et al., "FastFill: Efficient Compatible Model Update", ICLR 2023,
https://arxiv.org/abs/2303.04766: its area is the mean quality while the index is
re-embedded at a steady pace. A list that is served from both spaces is no convex mix of
two lists, so the curve may dip below both ends, and its worst point is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compat_eval.core.arrays import Rows, Values
from compat_eval.core.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillCurve:
    """A measure of each query at each share of the index that is NEW's.

    Attributes:
        shares: Rising from 0 to 1, shape (n_shares,).
        queries: The measure, shape (n_shares, n_queries); higher is better.

    """

    shares: Values
    queries: Rows

    def __post_init__(self) -> None:
        shares = self.shares
        rises = len(shares) > 1 and bool((np.diff(shares) > 0).all())
        if not (rises and shares[0] == 0 and shares[-1] == 1):
            raise UsageError("shares of a backfill rise from 0 to 1")
        if len(self.queries) != len(shares) or not np.isfinite(self.queries).all():
            raise UsageError("a backfill curve needs each query's value at each share")

    @property
    def means(self) -> Values:
        """Mean over queries at each share, shape (n_shares,)."""
        return np.asarray(self.queries.mean(axis=1))

    @property
    def area(self) -> float:
        """Area under the curve, by trapezoids: between its least and its best value."""
        means = self.means
        return float(((means[1:] + means[:-1]) / 2 * np.diff(self.shares)).sum())

    @property
    def worst(self) -> tuple[float, float]:
        """Share and value of the worst point; the first of several."""
        at = int(self.means.argmin())
        return float(self.shares[at]), float(self.means[at])

    def first_certified(self, proven: Sequence[bool]) -> float | None:
        """Return the least share from which on every share is certified, or `None`.

        Shares are tested from 1 downwards and the first that fails ends it. The order
        is fixed before the data are seen, so each test has the whole error rate and
        the answer is wrong no more often than one test (Maurer, Hothorn and Lehmacher,
        1995).

        Args:
            proven: Of each share, whether it is shown by itself to be good enough, such
                as no worse than OLD.

        """
        found = None
        for share, shown in zip(self.shares[::-1], proven[::-1], strict=True):
            if not shown:
                break
            found = float(share)
        return found
