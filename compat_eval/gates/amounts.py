"""How a gate's numbers are written: in percent, in points, or plain."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from compat_eval.core.statistic import Statistic
from compat_eval.gates.gate import PROTECTED, limited
from compat_eval.statistics.families.flips import FLIP_STATISTICS

Unit: TypeAlias = Literal["share", "points", "plain"]
_SUFFIXES: dict[Unit, str] = {"share": " %", "points": " points", "plain": ""}
_SMALL_P = 0.001


def unit(
    quantity: str,
    *,
    of: str | None = None,
    relative: bool = False,
    known: Mapping[str, Statistic] = FLIP_STATISTICS,
) -> Unit:
    """Return how what a gate limits is written, among statistics by name.

    Examples:
        >>> unit("nfr"), unit("loss", of="accuracy"), unit("loss", of="macro_f1")
        ('share', 'points', 'plain')

    """
    if relative or quantity == PROTECTED:
        return "share"
    return unit_of(limited(known, quantity, of=of))


def unit_of(statistic: Statistic | None) -> Unit:
    """Return how a statistic is written; plain where it is not known."""
    if statistic is None or statistic.unit not in ("fraction", "points"):
        return "plain"
    return "share" if statistic.unit == "fraction" else "points"


def amount(value: float, unit: Unit) -> str:
    """Write a number to four digits, with its unit.

    Examples:
        >>> amount(0.00604, "share"), amount(-0.006, "points"), amount(1.2, "plain")
        ('0.604 %', '−0.6 points', '1.2')

    """
    shown = value if unit == "plain" else 100 * value
    sign = "−" if shown < 0 else "+" if unit == "points" and shown > 0 else ""
    return f"{sign}{abs(shown):.4g}{_SUFFIXES[unit]}"


def p_text(p: float) -> str:
    """Write a p-value.

    Examples:
        >>> p_text(0.0623), p_text(1e-5)
        ('p = 0.062', 'p < 0.001')

    """
    return f"p < {_SMALL_P:g}" if p < _SMALL_P else f"p = {p:.2g}"
