"""Evidence about any metric of two models: old, new, and the change between them.

Old and new are resampled together, in the same draw, so that what both share
(hard examples) cancels in the change.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from compat_eval.core.arrays import Ints, Rows, Values
from compat_eval.core.rows import CodedRows
from compat_eval.core.sums import product
from compat_eval.statistics.intervals.absolute import AbsoluteSum, covariance
from compat_eval.statistics.intervals.clusters import FEW_CLUSTERS
from compat_eval.statistics.intervals.distinct import distinct_rows
from compat_eval.statistics.intervals.evidence import Evidence, Undefined
from compat_eval.statistics.intervals.linear import (
    acceleration,
    gradient,
    jacobian,
    moving_alike,
    standard_error,
)
from compat_eval.statistics.intervals.linearised import Linearised
from compat_eval.statistics.intervals.studentised import MOST_COLUMNS, studentised
from compat_eval.statistics.resampling import (
    MOST_DISTINCT,
    Bootstrapped,
    replicates,
)
from compat_eval.statistics.seeds import generator

_MOST_CELLS = 50_000_000
_CHUNK = 65_536


@dataclass(frozen=True, kw_only=True)
class PairedMetric:
    """One metric of two models on the same examples.

    Attributes:
        value: Of summed rows, shape (..., n_columns) to (...).
        terms: Whose absolute values add up to the value; see `Metric`.
        old: Rows of the old model, one for each example.
        new: Rows of the new model, in the same order.
        clusters: A number of the cluster of each example; `None` where examples
            are independent.
        weights: A positive weight of each example; `None` where all count alike.
        seed: Random seed.
        key: Name of this metric, such as task and metric: it picks the random
            numbers.

    """

    value: Callable[[Rows], Values]
    old: CodedRows
    new: CodedRows
    clusters: Ints | None = None
    weights: Values | None = None
    seed: int = 0
    key: Sequence[str] = ()
    terms: Callable[[Rows], Values] | None = None

    def of_old(self) -> Evidence:
        """Return the evidence about old's value."""
        if self.terms is not None:
            return self._absolute(self.terms, 1, 0)
        return self._evidence(lambda old, _: self.value(old))

    def of_new(self) -> Evidence:
        """Return the evidence about new's value."""
        if self.terms is not None:
            return self._absolute(self.terms, 0, 1)
        return self._evidence(lambda _, new: self.value(new))

    def change(self) -> Evidence:
        """Return the evidence about new's value minus old's."""
        if self.terms is not None:
            return self._absolute(self.terms, -1, 1)
        return self._evidence(lambda old, new: self.value(new) - self.value(old))

    def relative_change(self) -> Evidence:
        """Return the evidence about the change as a fraction of old's value."""
        if self.terms is not None:
            return Undefined(
                reason="a relative change of a sum of absolute values has no bound; "
                "limit the change itself"
            )
        return self._evidence(self._relative)

    def of_both(self, value: Callable[[Rows, Rows], Values]) -> Evidence:
        """Return the evidence about a share, or a change of one, of both summed rows.

        Such a number has ends, where studentised replicates stray beyond: the
        interval is that of the plain ones, corrected for bias and acceleration.

        Args:
            value: Of old's and new's summed rows, each of shape (..., n_columns), to
                (...); nan where undefined.

        """
        return self._evidence(value, plain=True)

    def _relative(self, old: Rows, new: Rows) -> Values:
        before, after = self.value(old), self.value(new)
        out = np.full(np.shape(before), np.nan)
        np.divide(after - before, np.abs(before), out=out, where=before != 0)
        return out

    @property
    def n_examples(self) -> int:
        """How many examples there are."""
        return len(self.old)

    @property
    def _cells(self) -> int:
        return int(self.n_examples * self.old.distinct.shape[1])

    @cached_property
    def totals(self) -> Rows:
        """The summed rows of old and then of new, shape (2 * n_columns,)."""
        parts = [self.old.total(self.weights), self.new.total(self.weights)]
        return np.concatenate(parts)

    @cached_property
    def _groups(self) -> tuple[Ints, int]:
        """The cluster of each example, numbered from 0, and how many there are."""
        if self.clusters is None:
            return np.arange(self.n_examples, dtype=np.int64), self.n_examples
        distinct, group = np.unique(self.clusters, return_inverse=True)
        return group.astype(np.int64), len(distinct)

    @cached_property
    def _pairs(self) -> tuple[Rows, Ints] | None:
        """Distinct summed rows of clusters and how often; `None` where too many."""
        if self.clusters is None and self.weights is None:
            if max(_n_used(self.old), _n_used(self.new)) > MOST_DISTINCT:
                return None
            width = len(self.new.distinct)
            found, times = _occurring(
                self.old.codes * width + self.new.codes, len(self.old.distinct) * width
            )
            if len(found) > MOST_DISTINCT:
                return None
            old, new = (
                self.old.distinct[found // width],
                self.new.distinct[found % width],
            )
            return np.concatenate([old, new], axis=1), times
        if self._groups[1] > MOST_DISTINCT or self._cells > _MOST_CELLS:
            return None
        sides = [self._by_cluster(self.old), self._by_cluster(self.new)]
        return distinct_rows(np.concatenate(sides, axis=1))

    def _by_cluster(self, rows: CodedRows) -> Rows:
        """Return the summed (weighted) rows of each cluster."""
        group, n = self._groups
        columns = []
        for column in rows.distinct.T:
            each = column[rows.codes]
            each = each if self.weights is None else each * self.weights
            columns.append(np.bincount(group, weights=each, minlength=n))
        return np.stack(columns, axis=1)

    @cached_property
    def _drawn(self) -> Rows:
        assert self._pairs is not None
        rows, times = self._pairs
        return replicates(times, rows, generator(self.seed, *self.key))

    def _evidence(
        self, value: Callable[[Rows, Rows], Values], *, plain: bool = False
    ) -> Evidence:
        width = self.old.distinct.shape[1]

        def of_both(totals: Rows) -> Values:
            return value(totals[..., :width], totals[..., width:])

        if self.n_examples == 0:
            return Undefined(reason="no examples were compared")
        number = float(of_both(self.totals))
        if math.isnan(number):
            return Undefined(reason="the metric is undefined on these examples")
        if self.old.is_sparse or self.new.is_sparse:
            return self._without_interval(number)
        slopes = gradient(of_both, self.totals)
        if self._pairs is not None:
            rows, times = self._pairs
            rng = generator(self.seed, *self.key)
            narrow = rows.shape[1] <= MOST_COLUMNS and not plain
            influence, counted = product(rows, slopes), times.astype(np.float64)
            alike = moving_alike(influence, counted)
            return Bootstrapped(
                value=number,
                values=(
                    studentised(of_both, times, rows, rng)
                    if narrow
                    else of_both(self._drawn)
                ),
                n=self._groups[1],
                examples=self.n_examples,
                undefined_when="the metric is undefined on these examples",
                method=self._name("bootstrap-t" if narrow else "bootstrap"),
                note=self._note(2 * alike),  # as many as bounds take it for
                acceleration=0.0 if narrow else acceleration(influence, counted),
                studentised=narrow,
                # A share's plain replicates stay within its ends as they are.
                alike=math.inf if plain else alike,
            )
        return Linearised(
            value=number,
            error=self._standard_error(slopes),
            n=self._groups[1],
            examples=self.n_examples,
            undefined_when="the metric is undefined on these examples",
            method=self._name("linearised"),
            note=self._note(),
        )

    def _absolute(
        self, terms: Callable[[Rows], Values], old: int, new: int
    ) -> Evidence:
        """Return the evidence about old · |terms of old| + new · |terms of new|."""
        width = self.old.distinct.shape[1]
        totals = (self.totals[:width], self.totals[width:])
        found = np.concatenate([terms(one) for one in totals])
        if np.isnan(found).any():
            return Undefined(reason="the metric is undefined on these examples")
        half = len(found) // 2
        return AbsoluteSum(
            terms=found,
            covariance=self._covariance,
            factors=np.repeat([float(old), float(new)], half),
            n=self._groups[1],
            examples=self.n_examples,
            reach=(float(min(old, 0)), float(max(new, old, 0))),
            note=self._note(),
        )

    @cached_property
    def _covariance(self) -> Rows:
        """The covariance of old's terms and then of new's."""
        return covariance(self._influences())

    def _influences(self) -> Iterator[Rows]:
        """Yield how much clusters move old's terms and then new's, some at a time."""
        assert self.terms is not None
        width = self.old.distinct.shape[1]
        slopes = [
            jacobian(self.terms, self.totals[:width]),
            jacobian(self.terms, self.totals[width:]),
        ]
        for start in range(0, self.n_examples, _CHUNK):
            whole = self.clusters is not None
            part = slice(start, start + _CHUNK)
            summed = [
                self._by_cluster(rows) if whole else self._weighted(rows, part)
                for rows in (self.old, self.new)
            ]
            moved = [
                np.einsum("nc,tc->nt", rows, by)
                for rows, by in zip(summed, slopes, strict=True)
            ]
            yield np.concatenate(moved, axis=1)
            if whole:
                return

    def _weighted(self, rows: CodedRows, part: slice) -> Rows:
        each = rows.distinct[rows.codes[part]]
        return each if self.weights is None else each * self.weights[part, None]

    def _without_interval(self, number: float) -> Evidence:
        """Return a number whose columns are too many to resample."""
        return Linearised(
            value=number,
            error=math.nan,
            n=self._groups[1],
            examples=self.n_examples,
            undefined_when=(
                f"no interval: it rests on {self.old.distinct.shape[1]:,} sums, too "
                "many to resample"
            ),
            method="none",
        )

    def _standard_error(self, slopes: Values) -> float:
        width = self.old.distinct.shape[1]
        sides = ((self.old, slopes[:width]), (self.new, slopes[width:]))
        moving = [(rows, product(rows.distinct, by)) for rows, by in sides if by.any()]
        if len(moving) == 1 and self.clusters is None and self.weights is None:
            rows, by_row = moving[0]
            times = np.bincount(rows.codes, minlength=len(by_row))
            return standard_error(by_row, times.astype(np.float64))
        return standard_error(self._influence(moving))

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

    def _name(self, method: str) -> str:
        return method if self.clusters is None else f"cluster-{method}"

    def _note(self, alike: float = math.inf) -> str | None:
        n = self._groups[1]
        if n >= FEW_CLUSTERS and self.clusters is None:
            return None
        what = "examples" if self.clusters is None else "clusters"
        if n >= FEW_CLUSTERS and alike < FEW_CLUSTERS:
            return (
                f"{n:,} {what}: a few carry most of it, as if there were {alike:.0f}, "
                "so the interval is rough"
            )
        if n >= FEW_CLUSTERS:
            return f"{n:,} {what}"
        return f"{n:,} {what}: fewer than {FEW_CLUSTERS}, so the interval is rough"


def _n_used(rows: CodedRows) -> int:
    return int(np.count_nonzero(np.bincount(rows.codes)))


def _occurring(codes: Ints, size: int) -> tuple[Ints, Ints]:
    """Return which of `size` codes occur, ascending, and how often."""
    if size > len(codes):
        return np.unique(codes, return_counts=True)
    times = np.bincount(codes, minlength=size)
    found = np.flatnonzero(times)
    return found, times[found]
