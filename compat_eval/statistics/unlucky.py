"""A fresh sample of clusters that would prove a limit with the stated power.

It is assumed to hold clusters like those that were seen. Four in five such samples are
luckier than one whose number strays towards the limit by its 80 % quantile; where that
one proves the limit, so do they. The unlucky sample is the observed clusters, counted
so many times each that the number is just there: those that move it towards the limit
more often, exponentially by their influence (Efron's least favourable family). Its
bounds then know of its own design effect, degrees of freedom and guard, which all
change with its size. Where a few large clusters hold most units, it is at least so many
clusters that some large ones are among them.

Sources:
    Efron, "Nonparametric standard errors and confidence intervals", Canadian Journal of
    Statistics 1981 (tilting).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from compat_eval.core.arrays import Values
from compat_eval.core.rows import product
from compat_eval.core.statistic import ValueOf
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.intervals.evidence import (
    MOST_EXAMPLES,
    POWER,
    TOO_MANY,
    Evidence,
    Fresh,
    Side,
    Wrapped,
    kept,
    least_that,
    unreachable,
)
from compat_eval.statistics.intervals.linear import gradient, standard_error

FEWEST = 8  # of clusters, were they all as large as the largest
_NOTICED = 0.01
_SPARE = 1.01  # where clusters are counted: those of the sample may be a little smaller
_STEEPEST = 40.0
_TINY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundedMean:
    """A mean over units that lies between its lowest value and 1.

    Attributes:
        of: It, as a function of summed rows.
        lowest: 0 of a share, −1 of a change.

    """

    of: ValueOf
    lowest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeatable(Wrapped):
    """Evidence of clusters that knows what another sample of them would say.

    Attributes:
        inner: The evidence.
        table: The sample that gave it.
        number: Of what it is evidence.
        again: Returns the evidence of another sample.

    """

    table: FlipTable
    number: BoundedMean
    again: Callable[[FlipTable], Evidence]

    def fresh_examples(
        self,
        limit: float,
        alpha: float,
        *,
        side: Side = "at_most",
        power: float = POWER,
    ) -> Fresh:
        """Search for the sample of which an unlucky one still proves the limit."""
        if not kept(self.value, limit, side):
            return unreachable(side)
        n = self.table.n_examples

        def proven(times: float, at: float = power) -> bool:
            return self.proves(limit, alpha, side, times, at=at)

        low, high = 0.0, 1.0
        while not proven(high):
            low, high = high, 2 * high
            if high * n > MOST_EXAMPLES:
                return Fresh(reason=TOO_MANY)
        times = max(least_that(proven, low, high), FEWEST / _alike(self.table))
        examples = math.ceil(times * n - 1e-6)
        if not proven(examples / n, min(power + _NOTICED, 1.0)):
            return Fresh(examples=examples, power=power)
        examples = math.ceil(examples * _SPARE)
        missed = least_that(lambda miss: proven(examples / n, 1 - miss), 0.0, 1 - power)
        return Fresh(examples=examples, power=1 - missed)

    def proves(
        self, limit: float, alpha: float, side: Side, times: float, *, at: float
    ) -> bool:
        """Whether a share of `at` of samples so many times as large proves a limit."""
        sample = unlucky(self.table, self.number, times, side, at=at)
        return self.again(sample).p(limit, side) <= alpha


def unlucky(
    table: FlipTable,
    number: BoundedMean,
    times: float,
    side: Side,
    *,
    at: float = POWER,
) -> FlipTable:
    """Return a sample of so many times the clusters that strays towards a limit.

    A share of `at` of such samples strays less. The counts are fractional. It is the
    sample itself, enlarged, where nothing can stray.
    """
    influence, often = _influence(table, number.of)
    error = standard_error(influence, often) / math.sqrt(times)
    sign = 1 if side == "at_most" else -1
    value, weights = float(number.of(table.totals)), np.ones(len(often))
    if error > _TINY and math.isfinite(error):
        target = _strayed(value, error, number.lowest, at if sign > 0 else 1 - at)
        scale = sign * influence / float(np.abs(influence).max())

        def tilted(steep: float) -> Values:
            return np.asarray(np.exp(steep * (scale - scale.max())))

        def beyond(steep: float) -> bool:
            total = product(often * tilted(steep), table.grouped[0])
            return sign * (float(number.of(total)) - target) >= 0

        weights = tilted(least_that(beyond, 0.0, _STEEPEST))
    often = times * often * weights * (often.sum() / float(product(often, weights)))
    return _of(table, often, times)


def _strayed(value: float, error: float, lowest: float, at: float) -> float:
    """Return a quantile of numbers from `lowest` to 1: a beta distribution's.

    With few flips it is as skewed as theirs.
    """
    width = 1 - lowest
    share = (value - lowest) / width
    if not 0 < share < 1:
        return value
    n = share * (1 - share) / (error / width) ** 2
    part = share * n + 0.5
    return lowest + width * float(special.betaincinv(part, n + 1 - part, at))


def _influence(table: FlipTable, of: ValueOf) -> tuple[Values, Values]:
    """Return how much each distinct row moves the number, and how often it occurs."""
    rows, times = table.grouped
    slopes = gradient(of, table.totals)
    return product(np.nan_to_num(rows), slopes), times.astype(np.float64)


def _alike(table: FlipTable) -> float:
    """Return how many clusters of one size would hold the units as unequally."""
    rows, times = table.grouped
    squares = rows[:, :4].sum(axis=1) ** 2
    return float(product(times, squares)) ** 2 / float(product(times, squares**2))


def _of(table: FlipTable, often: Values, times: float) -> FlipTable:
    """Return the sample in which each distinct row occurs so often."""
    counts = times * table.counts
    if not table.weighted:
        counts = product(often, table.grouped[0])
    n = round(times * table.n_examples)
    return replace(table, counts=counts, n_examples=n, times=often)
