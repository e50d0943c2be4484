"""Lines over a few places: what a method costs at each budget, a model after a period.

Lines are told apart by the shape of their marks, by dashes and by their names at the
right end, so that a chart can be read in black and white.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from compat_eval.core.estimate import Estimate
from compat_eval.report.drawing import Axis, Tick, around, ends, place
from compat_eval.report.numbers import Number, Unit, number

WIDTH, HEIGHT = 420.0, 260.0
_APART = 13.0
"""Least distance between the names of two lines."""
_ASIDE = 5.0
"""How far marks of neighbouring lines stand apart, so that none hides another."""
_SIZE = 4.0
_SHAPES = (
    "M{w},{n}H{e}V{s}H{w}Z",
    "M{x},{n}L{e},{s}H{w}Z",
    "M{x},{n}L{e},{y}L{x},{s}L{w},{y}Z",
    "M{x},{s}L{e},{n}H{w}Z",
    "M{w},{n}L{e},{s}M{w},{s}L{e},{n}",
    "M{w},{y}H{e}M{x},{n}V{s}",
    "M{w},{n}H{e}L{x},{y}ZM{w},{s}H{e}L{x},{y}Z",
)


def change(found: Estimate) -> Number:
    r"""Write a change as a share, with its sign.

    Examples:
        >>> nan = math.nan
        >>> kind = {"confidence": 0.95, "method": "student-t", "n": 5}
        >>> change(Estimate(value=0.021, low=nan, high=nan, **kind)).text
        '+2.1\xa0%'

    """
    made = number(found, "share")
    rises = found.value > 0 and made.text.strip("0.,\xa0%")
    return replace(made, text=f"+{made.text}") if rises else made


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What one line shows.

    Attributes:
        name: At its right end.
        points: By place along the chart, what is known there.
        beyond: Whether it may lie beyond the drawing, whose scale the others decide:
            its name then tells its value.

    """

    name: str
    points: Mapping[int, Estimate]
    beyond: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChartMark:
    """One estimate: a mark and its interval, with their text."""

    x: str
    low: str
    high: str
    shape: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChartLine:
    """A line with its marks.

    Attributes:
        name: What it is.
        style: A number from 0 that picks dashes and colour.
        path: Through its marks.
        band: Around its intervals; empty where they are drawn as bars.
        marks: Of it.
        label_y: How far from above its name stands, right of the field.

    """

    name: str
    style: int
    path: str
    band: str
    marks: tuple[_ChartMark, ...]
    label_y: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A drawing in a field of `WIDTH` by `HEIGHT` user units.

    Attributes:
        across: Ticks below.
        upwards: Ticks at the left; `x` is how far from above.
        across_title: What the places are.
        upwards_title: What is measured.
        rule: Where a level of no change lies; empty without one.
        lines: The lines.
        text: The picture in words.

    """

    across: tuple[Tick, ...]
    upwards: tuple[Tick, ...]
    across_title: str
    upwards_title: str
    rule: str
    lines: tuple[_ChartLine, ...]
    text: str


def chart(
    series: Sequence[Series],
    places: Sequence[str],
    *,
    unit: Unit,
    across_title: str,
    upwards_title: str,
    text: str,
    rule: float | None = None,
    bands: bool = False,
) -> Chart | None:
    """Return a chart; `None` where no estimate has a value.

    Args:
        series: What the lines show.
        places: What is written below, from left to right.
        unit: How values are written.
        across_title: What the places are.
        upwards_title: What is measured.
        text: The picture in words.
        rule: A level of no change.
        bands: Whether intervals are drawn as a band around the line.

    """
    known = _known([one for one in series if not one.beyond]) or _known(series)
    if not known:
        return None
    axis = around([*known, *([] if rule is None else [rule])], HEIGHT)
    step = WIDTH / len(places)
    drawn = [
        _line(
            one,
            at,
            axis,
            step,
            shift=0.0 if bands else (at - (len(series) - 1) / 2) * _ASIDE,
            bands=bands,
        )
        for at, one in enumerate(series)
    ]
    return Chart(
        across=tuple(
            Tick(place((at + 0.5) * step), name, "middle")
            for at, name in enumerate(places)
        ),
        upwards=tuple(
            Tick(_up(float(tick.x)), tick.text, "end") for tick in axis.ticks(unit)
        ),
        across_title=across_title,
        upwards_title=upwards_title,
        rule="" if rule is None else _up(float(axis.at(rule))),
        lines=_labelled([one for one in drawn if one is not None]),
        text=text,
    )


def _known(series: Sequence[Series]) -> list[float]:
    return [
        end
        for one in series
        for found in one.points.values()
        for end in (found.value, *ends(found))
        if not math.isnan(end)
    ]


def _line(
    series: Series, at: int, axis: Axis, step: float, *, shift: float, bands: bool
) -> _ChartLine | None:
    points = {
        spot: found
        for spot, found in sorted(series.points.items())
        if not math.isnan(found.value)
    }
    if not points:
        return None
    marks = [
        _mark((spot + 0.5) * step + shift, found, axis, at)
        for spot, found in points.items()
    ]
    heights = [_up(float(axis.at(found.value))) for found in points.values()]
    path = "L".join(
        f"{mark.x},{height}" for mark, height in zip(marks, heights, strict=True)
    )
    upper = [f"{one.x},{one.high}" for one in marks]
    lower = [f"{one.x},{one.low}" for one in reversed(marks)]
    return _ChartLine(
        name=_named(series, axis),
        style=at % len(_SHAPES),
        path=f"M{path}",
        band=f"M{'L'.join([*upper, *lower])}Z" if bands and len(marks) > 1 else "",
        marks=tuple(marks),
        label_y=heights[-1],
    )


def _named(series: Series, axis: Axis) -> str:
    last = series.points[max(series.points)].value
    inside = math.isnan(last) or axis.low <= last <= axis.high
    return series.name if inside else f"{series.name} ({last:+.0%})"


def _mark(x: float, found: Estimate, axis: Axis, at: int) -> _ChartMark:
    low, high = ends(found)
    y = HEIGHT - float(axis.at(found.value))
    corners = {
        "x": place(x),
        "y": place(y),
        "w": place(x - _SIZE),
        "e": place(x + _SIZE),
        "n": place(y - _SIZE),
        "s": place(y + _SIZE),
    }
    return _ChartMark(
        x=place(x),
        low=_up(float(axis.at(low))),
        high=_up(float(axis.at(high))),
        shape=_SHAPES[at % len(_SHAPES)].format(**corners),
        text=f"{found.value:.4g}",
    )


def _labelled(lines: Sequence[_ChartLine]) -> tuple[_ChartLine, ...]:
    """Move names apart that would stand on each other."""
    ranked = sorted(lines, key=lambda one: float(one.label_y))
    heights: list[float] = []
    for one in ranked:
        least = heights[-1] + _APART if heights else -math.inf
        heights.append(max(float(one.label_y), least))
    over = max(0.0, heights[-1] - HEIGHT) if heights else 0.0
    moved = {
        one.name: place(height - over)
        for one, height in zip(ranked, heights, strict=True)
    }
    return tuple(replace(one, label_y=moved[one.name]) for one in lines)


def _up(position: float) -> str:
    return place(HEIGHT - position)
