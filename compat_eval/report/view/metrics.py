"""Further metrics of both models, and what each mitigation would change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compat_eval.report import numbers, words
from compat_eval.report.numbers import Number, number
from compat_eval.report.source import first_level, the_task
from compat_eval.report.text import shortened

_LENGTH = 80


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


@dataclass(frozen=True, slots=True, kw_only=True)
class MitigationRow:
    """One mitigation at the main level: what it breaks, and at which cost."""

    name: str
    broken: str
    fixed: str
    nfr: Number
    accuracy_change: Number
    cost: str


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


def mitigation_rows(comparison: Mapping[str, Any]) -> tuple[MitigationRow, ...]:
    """Return the mitigations that were tried, in their order."""
    task, level = the_task(comparison), first_level(comparison)
    return tuple(_mitigation(one, level) for one in task.get("mitigations") or ())


def _mitigation(one: Mapping[str, Any], level: str) -> MitigationRow:
    summary = one["levels"][level]
    cost = one.get("cost") or {}
    return MitigationRow(
        name=shortened(one["name"], _LENGTH),
        broken=numbers.count(summary["counts"]["broken"]),
        fixed=numbers.count(summary["counts"]["fixed"]),
        nfr=number(summary["estimates"]["nfr"], "share"),
        accuracy_change=number(summary["estimates"]["accuracy_change"], "points"),
        cost=", ".join(
            f"{name.replace('_', ' ')} {value}" for name, value in sorted(cost.items())
        ),
    )


def _direction(metric: Mapping[str, Any]) -> str:
    """Say which way a metric went, if its interval tells."""
    low, high = metric["change"]["low"], metric["change"]["high"]
    if low is None or high is None:
        return ""
    if low <= 0 <= high:
        return "no clear change"
    return "better" if (low > 0) == (metric["better"] == "higher") else "worse"
