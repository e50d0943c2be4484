"""Further metrics of both models."""

import math
from dataclasses import dataclass

from compat_eval.report import words
from compat_eval.report.numbers import Number, decimals_of, number
from compat_eval.report.results import BothSides, UpdateResult
from compat_eval.report.section import ReportedRun, Section


@dataclass(frozen=True, slots=True, kw_only=True)
class _MetricRow:
    """One metric on both sides."""

    name: str
    description: str
    better: str
    old: Number
    new: Number
    change: Number
    n: str
    direction: str


def _metric_rows(update: UpdateResult) -> tuple[_MetricRow, ...]:
    """Return the metrics by name."""
    return tuple(map(_row, update.metrics.values()))


def _row(metric: BothSides) -> _MetricRow:
    estimates = metric.old, metric.new, metric.change
    decimals = decimals_of(estimates, "plain")
    old, new, change = (number(one, "plain", decimals=decimals) for one in estimates)
    clustered = metric.change.method.startswith("cluster-")
    return _MetricRow(
        name=words.title(metric.name),
        description=metric.description,
        better=f"{metric.better} is better",
        old=old,
        new=new,
        change=change,
        n=f"{change.n} {'clusters' if clustered else 'examples'}",
        direction=_direction(metric),
    )


def _direction(metric: BothSides) -> str:
    """Say which way a metric went, if its interval tells."""
    low, high = metric.change.low, metric.change.high
    if math.isnan(low + high):
        return ""
    if low <= 0 <= high:
        return "no clear change"
    return "better" if (low > 0) == (metric.better == "higher") else "worse"


def _view(reported: ReportedRun) -> tuple[_MetricRow, ...] | None:
    return _metric_rows(reported.results.task.update) or None


SECTION = Section(title="Metrics", view=_view, template="metrics.html.j2")
