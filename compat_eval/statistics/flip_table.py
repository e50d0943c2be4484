"""Counts of flips of one level and slice, by cluster where units share one."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from compat_eval.core.arrays import Bools, Ints, Rows, Values
from compat_eval.core.grades import CHANGED
from compat_eval.core.rows import distinct_rows, product
from compat_eval.statistics.resampling import generator, replicates


@dataclass(frozen=True, kw_only=True)
class FlipTable:
    """Kept, broken, fixed, missed and changed units of one level and slice.

    Attributes:
        counts: Each unit counted once, shape (5,). Changed is nan where the
            predictions are not known.
        n_examples: How many examples hold the units.
        rows: The distinct summed and weighted counts of clusters, shape
            (n_distinct, 5); `None` where units are independent and count alike.
        times: How many clusters have each of the rows, shape (n_distinct,); fractional
            in a sample that is only thought of.
        weighted: Whether examples have weights.
        seed: Random seed.
        key: Name of this table, such as task, level and slice: it picks the
            random numbers, so that no other table changes them.

    """

    counts: Values
    n_examples: int
    rows: Rows | None = None
    times: Ints | Values | None = None
    weighted: bool = False
    seed: int = 0
    key: tuple[str, ...] = ()

    @classmethod
    def of_counts(
        cls, counts: Sequence[float], *, n_examples: int | None = None
    ) -> Self:
        """Return the table of independent units from their four or five counts.

        Examples:
            >>> FlipTable.of_counts([90, 2, 5, 3]).n_units
            100

        """
        row = np.full(5, np.nan)
        row[: len(counts)] = counts
        n = int(row[:4].sum()) if n_examples is None else n_examples
        return cls(counts=row, n_examples=n)

    @classmethod
    def of(
        cls,
        cell_codes: Ints,
        changed: Bools | None = None,
        *,
        offsets: Ints | None = None,
        clusters: Ints | None = None,
        weights: Values | None = None,
        mask: Bools | None = None,
        unit_mask: Bools | None = None,
        seed: int = 0,
        key: Sequence[str] = (),
    ) -> Self:
        """Count units, by cluster where they are not independent.

        Examples that hold several units are clusters by themselves where no
        clusters are given.

        Args:
            cell_codes: The cell of each unit, shape (n_units,).
            changed: Whether its prediction changed, shape (n_units,).
            offsets: The units of example i are `offsets[i]` to `offsets[i + 1]`,
                shape (n_examples + 1,); one unit an example where absent.
            clusters: A number of the cluster of each example, shape (n_examples,).
            weights: A positive weight of each example, shape (n_examples,).
            mask: Which examples count, shape (n_examples,).
            unit_mask: Which units count, shape (n_units,).
            seed: Random seed.
            key: Name of this table.

        """
        codes, moved, name = np.asarray(cell_codes), changed, tuple(key)
        chosen = _chosen_units(offsets, mask, unit_mask)
        counts = _counted(codes, moved, chosen)
        if clusters is None and weights is None and not _several(codes, offsets):
            n_examples = int(counts[:4].sum())
            return cls(counts=counts, n_examples=n_examples, seed=seed, key=name)
        example = _example_of_unit(len(codes), offsets)
        if chosen is not None:
            codes, example = codes[chosen], example[chosen]
            moved = None if moved is None else moved[chosen]
        n_examples = len(np.unique(example))
        groups = example if clusters is None else clusters[example]
        per_unit = None if weights is None else weights[example]
        rows, times = distinct_rows(_rows(codes, moved, groups, per_unit))
        if weights is None and int(times.sum()) == len(codes):
            return cls(counts=counts, n_examples=n_examples, seed=seed, key=name)
        return cls(
            counts=counts,
            n_examples=n_examples,
            rows=rows,
            times=times,
            weighted=weights is not None,
            seed=seed,
            key=name,
        )

    @property
    def n_units(self) -> int:
        """How many units were compared."""
        return int(self.counts[:4].sum())

    @property
    def clustered(self) -> bool:
        """Whether units are not independent or do not count alike."""
        return self.rows is not None

    @property
    def n_clusters(self) -> int:
        """How many clusters there are; units where they are independent."""
        return self.n_units if self.times is None else int(self.times.sum())

    @cached_property
    def grouped(self) -> tuple[Rows, Ints | Values]:
        """The distinct rows of clusters, and how many clusters have each.

        Independent units are clusters of one.
        """
        if self.rows is not None and self.times is not None:
            return self.rows, self.times
        one_hot = np.zeros((4, 5))
        one_hot[:, :4] = np.eye(4)
        one_hot[:, CHANGED] = np.nan  # how changes fall on the cells is not kept
        return one_hot, self.counts[:4].astype(np.int64)

    @cached_property
    def totals(self) -> Rows:
        """The summed counts, weighted where examples have weights; shape (5,)."""
        if self.rows is None or self.times is None:
            return self.counts
        return product(self.times, self.rows)

    @cached_property
    def drawn(self) -> Rows:
        """Bootstrap totals: one draw for every quantity of the table."""
        rows, times = self.grouped
        return replicates(times, rows, generator(self.seed, *self.key))


def _rows(
    codes: Ints, changed: Bools | None, groups: Ints, per_unit: Values | None
) -> Rows:
    """Return the summed counts of each group, shape (n_groups, 5)."""
    _, group = np.unique(groups, return_inverse=True)
    n_groups = int(group.max()) + 1 if len(group) else 0
    flat = np.bincount(group * 4 + codes, weights=per_unit, minlength=4 * n_groups)
    rows = np.full((n_groups, 5), np.nan)
    rows[:, :4] = flat.reshape(n_groups, 4)
    if changed is not None:
        moved = changed.astype(np.float64)
        moved = moved if per_unit is None else moved * per_unit
        rows[:, CHANGED] = np.bincount(group, weights=moved, minlength=n_groups)
    return rows


def _several(codes: Ints, offsets: Ints | None) -> bool:
    """Whether some example does not hold exactly one unit."""
    return offsets is not None and (
        len(codes) != len(offsets) - 1 or bool(np.any(np.diff(offsets) != 1))
    )


def _counted(codes: Ints, changed: Bools | None, chosen: Bools | None) -> Values:
    """Return how many of the (chosen) units are in each cell, and changed."""
    counts = np.full(5, np.nan)
    if chosen is None:
        counts[:4] = np.bincount(codes, minlength=4)
    else:  # no copy of the chosen ones: slices of a million take most of the time
        counts[:4] = [np.count_nonzero(chosen & (codes == cell)) for cell in range(4)]
    if changed is not None:
        there = changed if chosen is None else changed & chosen
        counts[CHANGED] = np.count_nonzero(there)
    return counts


def _example_of_unit(n_units: int, offsets: Ints | None) -> Ints:
    if offsets is None:
        return np.arange(n_units, dtype=np.int64)
    return np.repeat(np.arange(len(offsets) - 1, dtype=np.int64), np.diff(offsets))


def _chosen_units(
    offsets: Ints | None, mask: Bools | None, unit_mask: Bools | None
) -> Bools | None:
    if mask is None:
        return unit_mask
    per_unit = mask if offsets is None else np.repeat(mask, np.diff(offsets))
    return per_unit if unit_mask is None else per_unit & unit_mask
