"""Further metrics of both models."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compat_eval.report import words
from compat_eval.report.numbers import Number, decimals_of, number


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """One metric on both sides."""

    name: str
    description: str
    better: str
    old: Number
    new: Number
    change: Number
    n: str
    direction: str


def metric_rows(task: Mapping[str, Any]) -> tuple[MetricRow, ...]:
    """Return the metrics by name."""
    return tuple(_row(*item) for item in sorted(task["metrics"].items()))


def _row(name: str, metric: Mapping[str, Any]) -> MetricRow:
    estimates = [metric[key] for key in ("old", "new", "change")]
    decimals = decimals_of(estimates, "plain")
    old, new, change = (number(one, "plain", decimals=decimals) for one in estimates)
    clustered = metric["change"]["method"].startswith("cluster-")
    return MetricRow(
        name=words.title(name),
        description=metric["description"],
        better=f"{metric['better']} is better",
        old=old,
        new=new,
        change=change,
        n=f"{change.n} {'clusters' if clustered else 'examples'}",
        direction=_direction(metric),
    )


def _direction(metric: Mapping[str, Any]) -> str:
    """Say which way a metric went, if its interval tells."""
    low, high = metric["change"]["low"], metric["change"]["high"]
    if low is None or high is None:
        return ""
    if low <= 0 <= high:
        return "no clear change"
    return "better" if (low > 0) == (metric["better"] == "higher") else "worse"
