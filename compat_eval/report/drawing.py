"""Where numbers stand on a drawing: positions in SVG user units, as text."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from compat_eval.core.estimate import Estimate
from compat_eval.report import numbers
from compat_eval.report.numbers import Unit

_STEPS = (1, 2, 2.5, 5, 10)
_TICKS = 4
_LABEL = 14.0


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis with its text."""

    x: str
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Axis:
    """A line of numbers drawn from left to right.

    Attributes:
        low: The number at the left end.
        high: The number at the right end; greater than `low`.
        width: Length in user units.
        inset: Space kept free at both ends.

    """

    low: float
    high: float
    width: float
    inset: float = 6.0

    def at(self, value: float) -> str:
        """Return the position of a number, kept on the axis.

        Examples:
            >>> Axis(0.0, 1.0, 100.0, inset=0.0).at(0.25)
            '25'

        """
        inside = min(max(value, self.low), self.high)
        room = self.width - 2 * self.inset
        return place(self.inset + room * (inside - self.low) / (self.high - self.low))

    def ticks(self, unit: Unit) -> tuple[Tick, ...]:
        """Return a few round numbers on the axis."""
        step = _round_step((self.high - self.low) / _TICKS)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        values = [i * step for i in range(first, last + 1)]
        return tuple(
            Tick(
                self.at(value),
                numbers.limit(round(value, 12), unit),
                self._anchor(value),
            )
            for value in values
        )

    def _anchor(self, value: float) -> str:
        x = float(self.at(value))
        if x < _LABEL:
            return "start"
        return "end" if x > self.width - _LABEL else "middle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """An estimate on an axis.

    Attributes:
        low: Position of the interval's lower end.
        high: Position of its upper end.
        width: Length between them.
        value: Position of the value.
        beyond: Whether the interval goes on to the right of the drawing.

    """

    low: str
    high: str
    width: str
    value: str
    beyond: bool


def bar(axis: Axis, found: Estimate) -> Bar:
    """Place an estimate; without an interval it is a point."""
    low, high = ends(found)
    left, right = axis.at(low), axis.at(high)
    return Bar(
        low=left,
        high=right,
        width=place(float(right) - float(left)),
        value=axis.at(found.value),
        beyond=found.high > axis.high,
    )


def ends(found: Estimate) -> tuple[float, float]:
    """Return the ends of an interval; the value in place of one that is undefined."""
    low = found.value if math.isnan(found.low) else found.low
    return low, found.value if math.isnan(found.high) else found.high


def around(values: Iterable[float], width: float, *, margin: float = 0.12) -> Axis:
    """Return an axis on which all the numbers stand with some room; nan is none."""
    known = [value for value in values if not math.isnan(value)]
    low, high = min(known), max(known)
    room = (high - low) * margin or abs(high) * margin or 0.01
    start = 0.0 if 0 <= low < 2 * room else low - room
    return Axis(start, high + room, width)


def place(position: float) -> str:
    """Write a position, to a tenth."""
    return f"{position:.1f}".removesuffix(".0")


def _round_step(least: float) -> float:
    """Return the next round number: 1, 2, 2.5 or 5 times a power of ten.

    Examples:
        >>> _round_step(0.0031), _round_step(21)
        (0.005, 25.0)

    """
    power = 10.0 ** math.floor(math.log10(least))
    return next(s * power for s in _STEPS if s * power >= least * (1 - 1e-9))
