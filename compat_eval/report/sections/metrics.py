"""Further metrics of both models."""

import math
from dataclasses import dataclass

from compat_eval.comparison.result import ComparedStatistic, UpdateResult
from compat_eval.report import words
from compat_eval.report.numbers import Number, decimals_of, number
from compat_eval.report.section import ReportedRun, Section


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """One metric on both sides."""

    name: str
    description: str
    better: str
    old: Number | None
    new: Number | None
    change: Number
    n: str
    direction: str


def metric_rows(update: UpdateResult) -> tuple[MetricRow, ...]:
    """Return the metrics by name."""
    return tuple(map(_row, update.statistics.values()))


def _row(metric: ComparedStatistic) -> MetricRow:
    sides = [one for one in (metric.old, metric.new) if one is not None]
    decimals = decimals_of([*sides, metric.change], "plain")
    old, new = (
        None if one is None else number(one, "plain", decimals=decimals)
        for one in (metric.old, metric.new)
    )
    change = number(metric.change, "plain", decimals=decimals)
    clustered = metric.change.method.startswith("cluster-")
    return MetricRow(
        name=words.title(metric.name),
        description=metric.description,
        better=f"{metric.better} is better",
        old=old,
        new=new,
        change=change,
        n=f"{change.n} {'clusters' if clustered else 'examples'}",
        direction=_direction(metric),
    )


def _direction(metric: ComparedStatistic) -> str:
    """Say which way a metric went, if its interval tells."""
    low, high = metric.change.low, metric.change.high
    if math.isnan(low + high):
        return ""
    if low <= metric.no_change <= high:
        return "no clear change"
    rose = low > metric.no_change
    return "better" if rose == (metric.better == "higher") else "worse"


def _view(reported: ReportedRun) -> tuple[MetricRow, ...] | None:
    return metric_rows(reported.results.task.update) or None


SECTION = Section(title="Metrics", view=_view, template="metrics.html.j2")
