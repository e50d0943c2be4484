"""Counted units as the summaries that a reader sees."""

from collections.abc import Iterator, Mapping

from compat_eval.comparison.result import FlipSummary, MetricComparison
from compat_eval.comparison.slices import slices
from compat_eval.comparison.update import Update
from compat_eval.core.estimate import Estimate
from compat_eval.core.grades import CELLS
from compat_eval.statistics.evidence import evidence, mcnemar_p
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.flip_table import FlipTable


def level_summaries(update: Update, *, confidence: float) -> Mapping[str, FlipSummary]:
    """Return the summary of each level over all examples."""
    return {
        level: summary(update.table(level), level=level, confidence=confidence)
        for level in update.levels
    }


def slice_summaries(update: Update, *, confidence: float) -> Iterator[FlipSummary]:
    """Yield the summary of each slice at each level."""
    for name, mask in slices(update.examples):
        for level in update.levels:
            table = update.table(level, name, mask)
            yield summary(table, level=level, part=name, confidence=confidence)


def summary(
    table: FlipTable, *, level: str, confidence: float, part: str | None = None
) -> FlipSummary:
    """Return what one table of counts says."""
    return FlipSummary(
        level=level,
        slice=part,
        units=table.n_units,
        clusters=table.n_clusters if table.clustered else None,
        counts={cell: int(table.counts[at]) for at, cell in enumerate(CELLS)},
        estimates=estimates(table, confidence=confidence),
        mcnemar_p=mcnemar_p(table),
    )


def estimates(table: FlipTable, *, confidence: float) -> Mapping[str, Estimate]:
    """Return every flip quantity of a table with its interval."""
    return {
        name: evidence(table, quantity).estimate(confidence)
        for name, quantity in FLIP_STATISTICS.items()
    }


def metric_comparisons(
    update: Update, *, confidence: float
) -> Mapping[str, MetricComparison]:
    """Return every further metric on both sides, with its paired change."""
    return {name: _metric(update, name, confidence) for name in update.statistics}


def _metric(update: Update, name: str, confidence: float) -> MetricComparison:
    statistic, rows = update.statistics[name], update.rows(name)
    return MetricComparison(
        name=name,
        better=statistic.better,
        description=statistic.description,
        old=evidence(rows, statistic.of_old()).estimate(confidence),
        new=evidence(rows, statistic.of_new()).estimate(confidence),
        change=evidence(rows, statistic.change()).estimate(confidence),
    )
