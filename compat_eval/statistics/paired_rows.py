"""Rows of sums of old and new on the same examples, by cluster where they share one.

Old and new are resampled together, in the same draw, so that what both share
(hard examples) cancels in the change.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from compat_eval.core.arrays import Ints, Rows, Values
from compat_eval.core.rows import CodedRows, distinct_rows, product
from compat_eval.core.statistic import ValueOf
from compat_eval.statistics.intervals.absolute import covariance
from compat_eval.statistics.intervals.linear import jacobian
from compat_eval.statistics.resampling import MOST_DISTINCT, generator, replicates

_MOST_CELLS = 50_000_000
_CHUNK = 65_536


@dataclass(frozen=True, kw_only=True)
class PairedRows:
    """Rows of sums of both sides of an update.

    Attributes:
        old: Rows of the old side, one for each example.
        new: Rows of the new side, in the same order.
        clusters: A number of the cluster of each example; `None` where examples
            are independent.
        weights: A positive weight of each example; `None` where all count alike.
        seed: Random seed.
        key: Name of these rows, such as task and statistic: it picks the random
            numbers.

    """

    old: CodedRows
    new: CodedRows
    clusters: Ints | None = None
    weights: Values | None = None
    seed: int = 0
    key: Sequence[str] = ()
    _covariances: dict[ValueOf, Rows] = field(default_factory=dict, repr=False)

    @property
    def n_examples(self) -> int:
        """How many examples there are."""
        return len(self.old)

    @property
    def n_clusters(self) -> int:
        """How many clusters there are; examples where they are independent."""
        return self._groups[1]

    @property
    def width(self) -> int:
        """How many columns each side has."""
        return int(self.old.distinct.shape[1])

    @property
    def is_sparse(self) -> bool:
        """Whether rows are too wide to be resampled."""
        return self.old.is_sparse or self.new.is_sparse

    @cached_property
    def totals(self) -> Rows:
        """The summed rows of old and then of new, shape (2 * width,)."""
        parts = [self.old.total(self.weights), self.new.total(self.weights)]
        return np.concatenate(parts)

    @cached_property
    def grouped(self) -> tuple[Rows, Ints] | None:
        """Distinct summed rows of clusters and how often; `None` where too many."""
        if self.clusters is None and self.weights is None:
            return self._pairs_of_codes()
        cells = self.n_examples * self.width
        if self.n_clusters > MOST_DISTINCT or cells > _MOST_CELLS:
            return None
        return distinct_rows(self.by_cluster)

    @cached_property
    def by_cluster(self) -> Rows:
        """The summed rows of old and then new of each cluster."""
        sides = [self._by_cluster(self.old), self._by_cluster(self.new)]
        return np.concatenate(sides, axis=1)

    @cached_property
    def drawn(self) -> Rows:
        """Bootstrap totals: one draw for every statistic of the rows."""
        assert self.grouped is not None
        rows, times = self.grouped
        return replicates(times, rows, self.generator())

    def generator(self) -> np.random.Generator:
        """Return the random generator of these rows."""
        return generator(self.seed, *self.key)

    def influence(self, slopes: Values) -> tuple[Values, Values | None]:
        """Return how much clusters move a number with these derivatives by column.

        With it how many clusters move it so much; `None` where each stands once.
        """
        sides = ((self.old, slopes[: self.width]), (self.new, slopes[self.width :]))
        moving = [(rows, product(rows.distinct, by)) for rows, by in sides if by.any()]
        if len(moving) == 1 and self.clusters is None and self.weights is None:
            rows, by_row = moving[0]
            times = np.bincount(rows.codes, minlength=len(by_row))
            return by_row, times.astype(np.float64)
        return self._influence(moving), None

    def covariance(self, terms: ValueOf) -> Rows:
        """Return the covariance of old's terms and then new's.

        Args:
            terms: Of one side's summed rows, shape (..., width) to (..., n_terms).

        """
        if terms not in self._covariances:
            self._covariances[terms] = covariance(self._influences(terms))
        return self._covariances[terms]

    def _influences(self, terms: ValueOf) -> Iterator[Rows]:
        """Yield how much clusters move old's terms and then new's, some at a time."""
        slopes = [
            jacobian(terms, self.totals[: self.width]),
            jacobian(terms, self.totals[self.width :]),
        ]
        if self.clusters is not None:
            yield _moved([self._by_cluster(rows) for rows in self._sides], slopes)
            return
        for start in range(0, self.n_examples, _CHUNK):
            part = slice(start, start + _CHUNK)
            yield _moved([self._weighted(rows, part) for rows in self._sides], slopes)

    @property
    def _sides(self) -> tuple[CodedRows, CodedRows]:
        return self.old, self.new

    @cached_property
    def _groups(self) -> tuple[Ints, int]:
        """The cluster of each example, numbered from 0, and how many there are."""
        if self.clusters is None:
            return np.arange(self.n_examples, dtype=np.int64), self.n_examples
        distinct, group = np.unique(self.clusters, return_inverse=True)
        return group.astype(np.int64), len(distinct)

    def _pairs_of_codes(self) -> tuple[Rows, Ints] | None:
        """Return `grouped` of single examples that all count alike."""
        if max(_n_used(self.old), _n_used(self.new)) > MOST_DISTINCT:
            return None
        n_new = len(self.new.distinct)
        found, times = _occurring(
            self.old.codes * n_new + self.new.codes, len(self.old.distinct) * n_new
        )
        if len(found) > MOST_DISTINCT:
            return None
        old, new = self.old.distinct[found // n_new], self.new.distinct[found % n_new]
        return np.concatenate([old, new], axis=1), times

    def _by_cluster(self, rows: CodedRows) -> Rows:
        """Return the summed (weighted) rows of each cluster."""
        group, n = self._groups
        columns = []
        for column in rows.distinct.T:
            each = column[rows.codes]
            each = each if self.weights is None else each * self.weights
            columns.append(np.bincount(group, weights=each, minlength=n))
        return np.stack(columns, axis=1)

    def _weighted(self, rows: CodedRows, part: slice) -> Rows:
        each = rows.distinct[rows.codes[part]]
        return each if self.weights is None else each * self.weights[part, None]

    def _influence(self, sides: Sequence[tuple[CodedRows, Values]]) -> Values:
        """Return how much each cluster moves the number."""
        each = np.zeros(self.n_examples)
        for rows, by_row in sides:
            each += by_row[rows.codes]
        if self.weights is not None:
            each = each * self.weights
        if self.clusters is None:
            return np.asarray(each, np.float64)
        group, n = self._groups
        return np.asarray(np.bincount(group, weights=each, minlength=n), np.float64)


def _moved(summed: Sequence[Rows], slopes: Sequence[Rows]) -> Rows:
    moved = [
        np.einsum("nc,tc->nt", rows, by)
        for rows, by in zip(summed, slopes, strict=True)
    ]
    return np.concatenate(moved, axis=1)


def _n_used(rows: CodedRows) -> int:
    return int(np.count_nonzero(np.bincount(rows.codes)))


def _occurring(codes: Ints, size: int) -> tuple[Ints, Ints]:
    """Return which of `size` codes occur, ascending, and how often."""
    if size > len(codes):
        return np.unique(codes, return_counts=True)
    times = np.bincount(codes, minlength=size)
    found = np.flatnonzero(times)
    return found, times[found]
