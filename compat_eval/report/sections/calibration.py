"""Do the models' scores mean what they say? _Reliability diagrams of both."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compat_eval.core.estimate import Estimate
from compat_eval.report import numbers
from compat_eval.report.drawing import place
from compat_eval.report.numbers import Number, number
from compat_eval.report.results import TaskResult
from compat_eval.report.section import ReportedRun, Section

_SIZE = 200.0
_BARS = 40.0
_LARGEST_RADIUS = 7.0
_SMALLEST_RADIUS = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bin:
    """The predictions whose score lies in one range.

    Attributes:
        range: The range in words.
        n: How many predictions.
        confidence: Their mean score.
        accuracy: The share of them that is right.
        x: Position of the mean score.
        y: Position of the accuracy, from above.
        radius: Size of the mark, larger for more predictions.
        bar_x: Left edge of the bar that shows how many there are.
        bar_y: Its upper edge.
        bar_width: Its width.
        bar_height: Its height.

    """

    range: str
    n: str
    confidence: str
    accuracy: str
    x: str
    y: str
    radius: str
    bar_x: str
    bar_y: str
    bar_width: str
    bar_height: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reliability:
    """One model's diagram.

    Attributes:
        side: `old` or `new`.
        error: The expected calibration error; `None` where nobody computed it.
        bins: Ranges of scores that occur.
        path: The line through them, as points of a polyline.
        text: The picture in words.

    """

    side: str
    error: Number | None
    bins: tuple[_Bin, ...]
    path: str
    text: str


def _reliability(task: TaskResult) -> tuple[_Reliability, ...]:
    """Return the diagram of each model that gives scores, old first."""
    found = task.analyses.get("calibration") or {}
    return tuple(
        _diagram(side, found[side]) for side in ("old", "new") if found.get(side)
    )


def _diagram(side: str, calibration: Mapping[str, Any]) -> _Reliability:
    filled = [b for b in calibration["bins"] if b["n"]]
    most = max((b["n"] for b in filled), default=1)
    bins = tuple(_bin(b, most) for b in filled)
    error = calibration["ece"]
    error = number(Estimate.from_dict(error), "plain") if error else None
    return _Reliability(
        side=side,
        error=error,
        bins=bins,
        path=" ".join(f"{b.x},{b.y}" for b in bins),
        text=f"Accuracy of the {side} model by its score"
        + (f"; expected calibration error {error.full}" if error else ""),
    )


def _bin(one: Mapping[str, Any], most: int) -> _Bin:
    weight = one["n"] / most
    height = max(1.0, _BARS * weight)
    spread = _LARGEST_RADIUS - _SMALLEST_RADIUS
    return _Bin(
        range=f"{one['low']:.2g}–{one['high']:.2g}",
        n=numbers.count(one["n"]),
        confidence=numbers.decimal(one["confidence"], 3),
        accuracy=numbers.decimal(one["accuracy"], 3),
        x=place(_SIZE * one["confidence"]),
        y=place(_SIZE * (1 - one["accuracy"])),
        radius=place(_SMALLEST_RADIUS + spread * weight**0.5),
        bar_x=place(_SIZE * one["low"] + 1),
        bar_y=place(_BARS - height),
        bar_width=place(max(1.0, _SIZE * (one["high"] - one["low"]) - 2)),
        bar_height=place(height),
    )


def _view(reported: ReportedRun) -> tuple[_Reliability, ...] | None:
    return _reliability(reported.results.task) or None


SECTION = Section(title="Calibration", view=_view, template="calibration.html.j2")
