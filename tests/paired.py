"""A statistic of both sides of an update, with the rows that give its evidence."""

from typing import Any

from compat_eval.core.rows import CodedRows
from compat_eval.core.statistic import Interval, Resampled, Statistic, ValueOf
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.intervals.evidence import Evidence
from compat_eval.statistics.paired_rows import PairedRows


class Pair:
    """What rows of old and new say about one statistic."""

    def __init__(
        self,
        value: ValueOf,
        old: CodedRows,
        new: CodedRows,
        interval: Interval | None = None,
        ends: tuple[float, float] = (0.0, 1.0),
        **rows: Any,
    ) -> None:
        """Take rows, and clusters, weights, seed and key as `PairedRows` does."""
        self.rows = PairedRows(old=old, new=new, **rows)
        self.statistic = Statistic(
            name="shown",
            value=value,
            better="higher",
            description="",
            interval=interval or Resampled(),
            ends=ends,
        )

    def of_old(self) -> Evidence:
        return evidence(self.rows, self.statistic.of_old())

    def of_new(self) -> Evidence:
        return evidence(self.rows, self.statistic.of_new())

    def change(self) -> Evidence:
        return evidence(self.rows, self.statistic.change())

    def relative_change(self) -> Evidence:
        relative = self.statistic.change().relative
        assert relative is not None
        return evidence(self.rows, relative)
