"""Where mitigations stand: accuracy kept against flips avoided."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from compat_eval.core.estimate import Estimate
from compat_eval.report.results import MitigationResult
from compat_eval.report.text import shortened
from compat_eval.report.view.axis import Axis, Tick, around, ends, place

_WIDTH, _HEIGHT = 420.0, 260.0
_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontierPoint:
    """One mitigation, with its intervals as a cross.

    Attributes:
        mark: Its number in the table.
        name: Of the mitigation.
        x: Position of how much NFI it cuts.
        y: Position of the change in accuracy, from above.
        low_x: Left end of the interval; likewise the others.
        high_x: See `low_x`.
        low_y: See `low_x`.
        high_y: See `low_x`.

    """

    mark: str
    name: str
    x: str
    y: str
    low_x: str
    high_x: str
    low_y: str
    high_y: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """The drawing; untreated NEW is where both dashed lines cross.

    Attributes:
        points: The mitigations whose numbers exist.
        zero_x: Position of no cut.
        zero_y: Position of no change in accuracy.
        across: Marks of the horizontal axis.
        upwards: Marks of the vertical axis; their `x` is a height from above.
        text: The drawing in words.

    """

    points: tuple[FrontierPoint, ...]
    zero_x: str
    zero_y: str
    across: tuple[Tick, ...]
    upwards: tuple[Tick, ...]
    text: str


def frontier(tried: Sequence[MitigationResult], level: str) -> Frontier | None:
    """Return the drawing of a level; `None` where no mitigation has both numbers."""
    known = [
        (
            str(mark),
            one,
            _cut(changes["nfi_change"]),
            _three(changes["accuracy_change"]),
        )
        for mark, one in enumerate(tried, start=1)
        for changes in (one.changes[level],)
        if not any(
            math.isnan(changes[n].value) for n in ("nfi_change", "accuracy_change")
        )
    ]
    if not known:
        return None
    across = around([0.0, *(end for *_, cut, _ in known for end in cut)], _WIDTH)
    upwards = around([0.0, *(end for *_, three in known for end in three)], _HEIGHT)
    return Frontier(
        points=tuple(
            _point((mark, one.name), (across, upwards), cut, three)
            for mark, one, cut, three in known
        ),
        zero_x=across.at(0.0),
        zero_y=_from_above(upwards, 0.0),
        across=across.ticks("points"),
        upwards=tuple(
            Tick(place(_HEIGHT - float(tick.x)), tick.text, "end")
            for tick in upwards.ticks("points")
        ),
        text=(
            "Change in accuracy against the cut in negative flip impact, both compared "
            "with untreated NEW; the table has the numbers."
        ),
    )


def _three(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, *ends(estimate)


def _cut(estimate: Estimate) -> tuple[float, float, float]:
    value, low, high = _three(estimate)
    return -value, -high, -low


def _point(
    called: tuple[str, str],
    axes: tuple[Axis, Axis],
    cut: tuple[float, float, float],
    change: tuple[float, float, float],
) -> FrontierPoint:
    across, upwards = axes
    return FrontierPoint(
        mark=called[0],
        name=shortened(called[1], _NAME),
        x=across.at(cut[0]),
        low_x=across.at(cut[1]),
        high_x=across.at(cut[2]),
        y=_from_above(upwards, change[0]),
        low_y=_from_above(upwards, change[1]),
        high_y=_from_above(upwards, change[2]),
    )


def _from_above(axis: Axis, value: float) -> str:
    return place(_HEIGHT - float(axis.at(value)))
