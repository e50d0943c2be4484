"""One update: from a role to another, counted, and the evidence that gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from compat_eval.comparison.panel import NEW, OLD, Panel
from compat_eval.comparison.slices import slice_mask
from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.core.examples import Examples
from compat_eval.core.grades import SAME, Grades, Level, cells
from compat_eval.core.predictions import Predictions
from compat_eval.core.protocols import Task, TellsChanges
from compat_eval.core.rows import CodedRows
from compat_eval.core.statistic import Statistic
from compat_eval.statistics.families.scores import level_statistics, score_sums
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.paired_rows import PairedRows


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelCells:
    """The units of one level.

    Attributes:
        level: The level.
        codes: The cell of each unit, shape (n_units,).
        changed: Whether its prediction changed, shape (n_units,); `None` where
            that is not known for units of this level.
        offsets: The units of example `i` are `offsets[i]` to `offsets[i + 1]`.

    """

    level: Level
    codes: Ints
    changed: Bools | None
    offsets: Ints

    @property
    def one_unit_an_example(self) -> bool:
        """Whether examples are the units."""
        return len(self.codes) == len(self.offsets) - 1


@dataclass(frozen=True, kw_only=True)
class Update:
    """Two roles of a panel: `new_role` would take the place of `old_role`."""

    panel: Panel
    old_role: str = OLD
    new_role: str = NEW
    _tables: dict[tuple[str, str | None], FlipTable] = field(
        default_factory=dict, init=False, repr=False
    )
    _paired: dict[tuple[str, str | None], PairedRows] = field(
        default_factory=dict, init=False, repr=False
    )

    _scores: dict[tuple[str, str | None], PairedRows] = field(
        default_factory=dict, init=False, repr=False
    )

    @property
    def task(self) -> Task:
        """What says what is right."""
        return self.panel.task

    @property
    def levels(self) -> Sequence[str]:
        """The levels to count, the most important first."""
        return self.panel.levels

    @property
    def examples(self) -> Examples:
        """The questions."""
        return self.panel.examples

    @property
    def old(self) -> Predictions:
        """The old role's answers, row by row with the examples."""
        return self.panel.answers[self.old_role]

    @property
    def new(self) -> Predictions:
        """The new role's answers, likewise."""
        return self.panel.answers[self.new_role]

    @property
    def old_missing(self) -> Bools:
        """Which examples the old role lacks; shape (n_examples,)."""
        return self.panel.missing[self.old_role]

    @property
    def new_missing(self) -> Bools:
        """Which examples the new role lacks; shape (n_examples,)."""
        return self.panel.missing[self.new_role]

    @property
    def bounded(self) -> Bools:
        """Which examples a side lacks, so that only bounds are known of them."""
        return self.old_missing | self.new_missing

    def coverage(self) -> dict[str, int]:
        """Return how many examples both roles answered, one of them, or neither."""
        old, new = self.old_missing, self.new_missing
        return {
            "both": int(np.count_nonzero(~old & ~new)),
            "only_old": int(np.count_nonzero(new & ~old)),
            "only_new": int(np.count_nonzero(old & ~new)),
            "neither": int(np.count_nonzero(old & new)),
        }

    @cached_property
    def changed(self) -> Bools:
        """Which examples' answers differ; shape (n_examples,)."""
        return self.old.differs(self.new)

    @cached_property
    def cells(self) -> Mapping[str, LevelCells]:
        """The cell of each unit, by level.

        An answer that OLD lacks counts as right, one that NEW lacks as wrong (a score
        that OLD lacks as the best, one that NEW lacks as the worst): they are only
        there where `--on-missing bound` asked for it.
        """
        described = {level.name: level for level in self.task.levels}
        return {name: self._cells(described[name]) for name in self.levels}

    def _cells(self, level: Level) -> LevelCells:
        old = self.panel.grades(self.old_role)[level.name]
        new = self.panel.grades(self.new_role)[level.name]
        moved = self._changed_units(level.name, old)
        if moved is not None:
            # An answer that is no tree is wrong also where its arcs are the others'.
            moved = moved | (old.values != new.values)
        elif old.n_units == len(self.examples):
            moved = self.changed
        codes = cells(
            level,
            _at_best(level, old, self.old_missing),
            _at_worst(level, new, self.new_missing),
        )
        if level.scale != "right":
            moved = codes != SAME
        return LevelCells(level=level, codes=codes, changed=moved, offsets=old.offsets)

    def _changed_units(self, level: str, old: Grades) -> Bools | None:
        """Return which units changed, as the task says; `None` where it does not."""
        if not isinstance(self.task, TellsChanges):
            return None
        moved = self.task.changed(self.examples, self.old, self.new, level)
        if moved is None or len(moved) != old.n_units:  # graded by a file, coarser
            return None
        return moved | np.repeat(self.bounded, old.units_per_example())

    @cached_property
    def clusters(self) -> Ints | None:
        """The cluster of each example; `None` where examples are independent."""
        return self.examples.clusters()

    @cached_property
    def weights(self) -> Values | None:
        """The weight of each example; `None` where all count alike."""
        return self.examples.weights()

    @cached_property
    def statistics(self) -> Mapping[str, Statistic]:
        """The statistics that both sides allow, by name."""
        if self.bounded.any():
            return {}  # a missing answer has no row of sums
        theirs = self.panel.statistics(self.old_role)
        ours = self.panel.statistics(self.new_role)
        return {name: one for name, one in ours.items() if name in theirs}

    def table(
        self, level: str, part: str | None = None, mask: Bools | None = None
    ) -> FlipTable:
        """Return the counts of a level, over all examples or one slice.

        Args:
            level: Name of the level.
            part: Name of the slice; `None` for all examples.
            mask: The slice's examples, where the caller has them already.

        Raises:
            SuiteError: There is no such slice.

        """
        if (level, part) not in self._tables:
            cells = self.cells[level]
            self._tables[level, part] = self.counted(
                level, part, cells.codes, cells.changed, mask
            )
        return self._tables[level, part]

    def recounted(self, level: str, codes: Ints) -> FlipTable:
        """Return the counts over all examples, had units been in other cells.

        Args:
            level: Name of the level.
            codes: The cell of each unit, shape (n_units,).

        """
        return self.counted(level, None, codes, self.cells[level].changed)

    def statistics_at(self, level: str) -> Mapping[str, Statistic]:
        """Return the statistics of a level's units, by name."""
        return level_statistics(self.cells[level].level)

    def sample(
        self,
        statistic: Statistic,
        level: str,
        part: str | None = None,
        mask: Bools | None = None,
    ) -> FlipTable | PairedRows:
        """Return what gives the evidence of a statistic, over all examples or a slice.

        Args:
            statistic: One of a level, or made of one of the task's own.
            level: Name of the level.
            part: Name of the slice; `None` for all examples.
            mask: The slice's examples, where the caller has them already.

        Raises:
            SuiteError: There is no such slice.

        """
        if statistic.of_cells:
            return self.table(level, part, mask)
        if statistic.name not in self.statistics_at(level):
            return self.rows(statistic.base or statistic.name, part)
        if (level, part) not in self._scores:
            halves = self._score_sums(level)
            self._scores[level, part] = self._paired_rows(halves, level, part, mask)
        return self._scores[level, part]

    def _score_sums(self, level: str) -> list[CodedRows]:
        """Return the summed scores of each example's units, both halves."""
        cells = self.cells[level]
        old = self.panel.grades(self.old_role)[level]
        new = self.panel.grades(self.new_role)[level]
        halves = score_sums(cells.level, old.scores, new.scores)
        if cells.one_unit_an_example:
            return [CodedRows.plain(half) for half in halves]
        before = [
            np.concatenate([half[:1] * 0, half.cumsum(axis=0)]) for half in halves
        ]
        return [CodedRows.plain(np.diff(one[cells.offsets], axis=0)) for one in before]

    def rows(self, name: str, part: str | None = None) -> PairedRows:
        """Return the rows of a statistic of both sides, over all examples or one slice.

        Raises:
            SuiteError: There is no such slice.

        """
        if (name, part) not in self._paired:
            self._paired[name, part] = self._pair(name, part)
        return self._paired[name, part]

    def _pair(self, name: str, part: str | None) -> PairedRows:
        statistic = self.statistics[name]
        rows = [
            self.panel.rows(role, statistic) for role in (self.old_role, self.new_role)
        ]
        return self._paired_rows(rows, name, part)

    def _paired_rows(
        self,
        rows: Sequence[CodedRows],
        name: str,
        part: str | None,
        mask: Bools | None = None,
    ) -> PairedRows:
        clusters, weights = self.clusters, self.weights
        if part is not None:
            mask = slice_mask(self.examples, part) if mask is None else mask
            rows = [one.take(mask) for one in rows]
            clusters = None if clusters is None else clusters[mask]
            weights = None if weights is None else weights[mask]
        return PairedRows(
            old=rows[0],
            new=rows[1],
            clusters=clusters,
            weights=weights,
            seed=self.panel.seed,
            key=(self.panel.name, name, part or ""),
        )

    def examples_with(self, level: str, cell: int) -> Bools:
        """Return which examples have a unit in a cell; shape (n_examples,)."""
        cells = self.cells[level]
        hit = cells.codes == cell
        if cells.one_unit_an_example:
            return np.asarray(hit, np.bool_)
        before = np.concatenate([[0], np.cumsum(hit)])
        return np.asarray(np.diff(before[cells.offsets]) > 0, np.bool_)

    def counted(
        self,
        level: str,
        part: str | None,
        codes: Ints,
        changed: Bools | None,
        mask: Bools | None = None,
    ) -> FlipTable:
        """Return the counts of a level with given cells in place of its own."""
        cells = self.cells[level]
        if part is not None and mask is None:
            mask = slice_mask(self.examples, part)
        return FlipTable.of(
            codes,
            changed,
            offsets=None if cells.one_unit_an_example else cells.offsets,
            clusters=self.clusters,
            weights=self.weights,
            mask=mask,
            seed=self.panel.seed,
            key=(self.panel.name, level, part or ""),
        )


def _at_best(level: Level, grades: Grades, missing: Bools) -> Grades:
    """Return grades in which the units of missing examples are right, or the best."""
    if level.scale == "right":
        return _set_where(grades, missing, value=True)
    best = np.inf if level.better == "higher" else -np.inf
    return _set_where(grades, missing, value=best)


def _at_worst(level: Level, grades: Grades, missing: Bools) -> Grades:
    """Return grades in which the units of missing examples are wrong, or the worst."""
    worst: bool | float = False if level.scale == "right" else np.nan
    return _set_where(grades, missing, value=worst)


def _set_where(grades: Grades, missing: Bools, *, value: bool | float) -> Grades:
    if not missing.any():
        return grades
    units = np.repeat(missing, grades.units_per_example())
    return replace(grades, values=np.where(units, value, grades.values))
