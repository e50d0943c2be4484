"""The counted units and summed rows of a comparison, and the evidence they give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from compat_eval.comparison.alignment import Pairing
from compat_eval.comparison.levels import LevelCells, cells_by_level
from compat_eval.comparison.slices import slice_mask
from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.core.metric import Metric
from compat_eval.core.protocols import Task
from compat_eval.statistics.flips import FlipTable
from compat_eval.statistics.metric import PairedMetric


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Both sides, graded.

    Attributes:
        name: Name of the task, part of every random number's key.
        task: Says what is right.
        pairing: The aligned sides.
        levels: The levels to count, the most important first.
        seed: Random seed.

    """

    name: str
    task: Task
    pairing: Pairing
    levels: Sequence[str]
    seed: int = 0
    _tables: dict[tuple[str, str | None], FlipTable] = field(
        default_factory=dict, repr=False
    )

    _paired: dict[tuple[str, str | None], PairedMetric] = field(
        default_factory=dict, repr=False
    )

    def with_pairing(self, pairing: Pairing) -> "Measured":
        """Return the same questions with other answers, counted anew."""
        return Measured(
            name=self.name,
            task=self.task,
            pairing=pairing,
            levels=self.levels,
            seed=self.seed,
        )

    @cached_property
    def cells(self) -> Mapping[str, LevelCells]:
        """The units of each level."""
        return cells_by_level(self.task, self.pairing, self.levels)

    @cached_property
    def clusters(self) -> Ints | None:
        """The cluster of each example; `None` where examples are independent."""
        return self.pairing.examples.clusters()

    @cached_property
    def weights(self) -> Values | None:
        """The weight of each example; `None` where all count alike."""
        return self.pairing.examples.weights()

    @cached_property
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics that both sides allow, by name."""
        examples, old, new = (
            self.pairing.examples,
            self.pairing.old,
            self.pairing.new,
        )
        if self.pairing.bounded.any():
            return {}  # a missing answer has no row of sums
        theirs = {metric.name for metric in self.task.metrics(examples, old)}
        ours = self.task.metrics(examples, new)
        return {metric.name: metric for metric in ours if metric.name in theirs}

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

    def metric(self, name: str, part: str | None = None) -> PairedMetric:
        """Return a metric of both sides, over all examples or one slice.

        Raises:
            SuiteError: There is no such slice.

        """
        if (name, part) not in self._paired:
            self._paired[name, part] = self._pair(name, part)
        return self._paired[name, part]

    def _pair(self, name: str, part: str | None) -> PairedMetric:
        metric, pairing = self.metrics[name], self.pairing
        rows = [metric.rows(pairing.examples, s) for s in (pairing.old, pairing.new)]
        clusters, weights = self.clusters, self.weights
        if part is not None:
            mask = slice_mask(pairing.examples, part)
            rows = [one.take(mask) for one in rows]
            clusters = None if clusters is None else clusters[mask]
            weights = None if weights is None else weights[mask]
        return PairedMetric(
            value=metric.value,
            terms=metric.terms,
            old=rows[0],
            new=rows[1],
            clusters=clusters,
            weights=weights,
            seed=self.seed,
            key=(self.name, name, part or ""),
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
            mask = slice_mask(self.pairing.examples, part)
        return FlipTable.of(
            codes,
            changed,
            offsets=None if cells.one_unit_an_example else cells.offsets,
            clusters=self.clusters,
            weights=self.weights,
            mask=mask,
            seed=self.seed,
            key=(self.name, level, part or ""),
        )
