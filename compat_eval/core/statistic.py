"""A statistic: a row of sums for each example, and a function of the summed row.

Because a number is a function of sums, one resampler serves every statistic, a slice is
a sum over fewer rows, and averages of batch averages cannot be written.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np

from compat_eval.core.arrays import Rows, Values
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.rows import CodedRows

Direction: TypeAlias = Literal["higher", "lower"]
Unit: TypeAlias = Literal["fraction", "points", "ratio", "nats", "bits", "number"]
Columns: TypeAlias = tuple[int, ...]
ValueOf: TypeAlias = Callable[[Rows], Values]
"""Of summed rows, shape (..., n_columns) to (...); nan where undefined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share of units: exact bounds of a proportion.

    Attributes:
        part: Columns of counts that are counted.
        whole: Columns among which they are counted.
        most: Columns that can be counted at most, given what old answered; `whole`
            where absent.

    """

    part: Columns
    whole: Columns
    most: Columns = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedChange:
    """Fixed less broken units: melded exact bounds.

    Attributes:
        over: The share that the change is a fraction of; all units where absent.
        over_name: How that share is called.

    """

    over: Share | None = None
    over_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeRate:
    """A share over what it would be if errors were independent: melded bounds.

    Attributes:
        broken: New's errors among what old has right.
        missed: New's errors among what old has wrong.
        old_right: What old has right among all.

    """

    broken: Share
    missed: Share
    old_right: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsoluteSum:
    """A sum of absolute values, which is biased and has bounds of its own.

    Attributes:
        terms: Of one role's summed rows, shape (..., n_columns) to (..., n_terms).
        old: How often old's sum is counted: 0, 1 or −1.
        new: How often new's sum is counted.

    """

    terms: ValueOf
    old: int = 0
    new: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampled:
    """Any function of sums: resampling of clusters.

    Attributes:
        within_ends: Whether the number is a share (or a change of one) with ends beyond
            which studentised replicates would stray: plain ones are used then,
            corrected for bias and acceleration.

    """

    within_ends: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileOfClusters:
    """A quantile of what each cluster has: bounds by order statistics.

    Attributes:
        quantile: Which one, in (0, 1].

    """

    quantile: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareOfClusters:
    """The share of clusters whose value is above a limit: exact bounds.

    Attributes:
        above: The limit.

    """

    above: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NoInterval:
    """A number that nothing bounds.

    Attributes:
        reason: Why.

    """

    reason: str


Interval: TypeAlias = (
    Share
    | PairedChange
    | RelativeRate
    | AbsoluteSum
    | Resampled
    | QuantileOfClusters
    | ShareOfClusters
    | NoInterval
)


def _counted_cells(_: Examples, __: Predictions) -> CodedRows:
    raise TypeError("this statistic is of counted cells, not of one role's answers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """One number about the answers of one role, or about an update.

    Attributes:
        name: Snake case and stable: it is what gates and JSON say.
        value: Of summed rows, shape (..., n_columns) to (...); nan where undefined. The
            columns of an update are counts of cells, or those of old and then of new.
            Where the interval is of clusters, of the summed rows of each cluster.
        better: Whether higher or lower is better.
        description: One sentence for the report.
        title: What people read; the name in words where it is empty.
        unit: Of the value.
        of: Whether it describes one role or an update.
        rows: A row of sums for each example, shape (n_examples, n_columns), of a role's
            answers; the columns mean the same for every role. Left out where the rows
            are the counted cells of a level.
        interval: How its interval is made.
        undefined_when: The reason why there is no value, where there is none.
        needs: Columns of predictions from which an example without a value is left out,
            such as `score`. A gate needs all of them: whoever leaves some out must not
            choose which examples count.
        ends: The ends that the value cannot pass.
        roles: Of an update, the roles on whose answers the value depends.
        certified: Whether it measures what breaks, so that a gate on it passes only on
            proof unless told otherwise.
        of_itself: What it is of a model and itself; nan where that is not fixed.
        base: Name of the role's statistic that it was made of.
        change_of: Name of the statistic whose change it is.
        relative: The same change as a fraction of old's value.
        instead: Name of a statistic that is defined wherever units were compared.

    """

    name: str
    value: ValueOf
    better: Direction
    description: str
    title: str = ""
    unit: Unit = "number"
    of: Literal["role", "update"] = "role"
    rows: Callable[[Examples, Predictions], CodedRows] = _counted_cells
    interval: Interval = field(default=Resampled())
    undefined_when: str = "the metric is undefined on these examples"
    needs: tuple[str, ...] = ()
    ends: tuple[float, float] = (-math.inf, math.inf)
    roles: tuple[str, ...] = ("old", "new")
    certified: bool = False
    of_itself: float = math.nan
    base: str | None = None
    change_of: str | None = None
    relative: "Statistic | None" = None
    instead: str | None = None

    @property
    def of_cells(self) -> bool:
        """Whether it is a function of counted cells, and not of other sums."""
        return isinstance(self.interval, Share | PairedChange | RelativeRate)

    @property
    def is_ratio_of_sums(self) -> bool:
        """Whether it is a ratio of sums of columns, so monotone in each of them."""
        return isinstance(self.interval, Share | PairedChange)

    @property
    def has_ends(self) -> bool:
        """Whether its values have two ends, so that no example can move it far."""
        return all(map(math.isfinite, self.ends))

    def of_old(self) -> "Statistic":
        """Return the value of old, as a statistic of an update."""
        return self._of_update(
            "old", lambda rows: self.value(_halves(rows)[0]), signs=(1, 0)
        )

    def of_new(self) -> "Statistic":
        """Return the value of new, as a statistic of an update."""
        return self._of_update(
            "new", lambda rows: self.value(_halves(rows)[1]), signs=(0, 1)
        )

    def change(self) -> "Statistic":
        """Return new's value less old's, as a statistic of an update."""

        def value(rows: Rows) -> Values:
            old, new = _halves(rows)
            return self.value(new) - self.value(old)

        width = self.ends[1] - self.ends[0]
        return replace(
            self._of_update("change", value, signs=(-1, 1)),
            unit="points" if self.unit == "fraction" else self.unit,
            ends=(-width, width),
            of_itself=0.0,
            change_of=self.name,
            relative=self._relative_change(),
        )

    def _relative_change(self) -> "Statistic":
        def value(rows: Rows) -> Values:
            old, new = (self.value(half) for half in _halves(rows))
            out = np.full(np.shape(old), np.nan)
            np.divide(new - old, np.abs(old), out=out, where=old != 0)
            return out

        made = self._of_update("change", value, signs=(-1, 1))
        if isinstance(self.interval, AbsoluteSum):
            reason = "a relative change of a sum of absolute values has no bound; "
            made = replace(
                made, interval=NoInterval(reason=reason + "limit the change itself")
            )
        return replace(
            made,
            unit="fraction",
            ends=(-math.inf, math.inf),
            of_itself=0.0,
            change_of=self.name,
        )

    def _of_update(
        self, suffix: str, value: ValueOf, *, signs: tuple[int, int]
    ) -> "Statistic":
        interval = self.interval
        if isinstance(interval, AbsoluteSum):
            interval = replace(interval, old=signs[0], new=signs[1])
        return replace(
            self,
            name=f"{self.name}_{suffix}",
            base=self.name,
            value=value,
            of="update",
            interval=interval,
            roles=(suffix,) if suffix in ("old", "new") else ("old", "new"),
        )


def _halves(rows: Rows) -> tuple[Rows, Rows]:
    """Return old's columns and new's."""
    width = rows.shape[-1] // 2
    return rows[..., :width], rows[..., width:]
