"""Further metrics of both models."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compat_eval.report import words
from compat_eval.report.numbers import Number, number


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """One metric on both sides."""

    name: str
    description: str
    better: str
    old: Number
    new: Number
    change: Number
    direction: str


def metric_rows(task: Mapping[str, Any]) -> tuple[MetricRow, ...]:
    """Return the metrics by name."""
    return tuple(
        MetricRow(
            name=words.title(name),
            description=metric["description"],
            better=f"{metric['better']} is better",
            old=number(metric["old"], "plain"),
            new=number(metric["new"], "plain"),
            change=number(metric["change"], "plain"),
            direction=_direction(metric),
        )
        for name, metric in sorted(task["metrics"].items())
    )


def _direction(metric: Mapping[str, Any]) -> str:
    """Say which way a metric went, if its interval tells."""
    low, high = metric["change"]["low"], metric["change"]["high"]
    if low is None or high is None:
        return ""
    if low <= 0 <= high:
        return "no clear change"
    return "better" if (low > 0) == (metric["better"] == "higher") else "worse"
