"""Numbers as people read them: a text form, never a bare float.

Rates are fractions everywhere else; percent begins here.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from compat_eval.core.estimate import Estimate

Unit: TypeAlias = Literal["share", "points", "plain"]
"""A share shows as percent, a change of one as points, the rest as it is."""

SPACE = "\u00a0"
_MINUS = "\u2212"
_METHODS = {
    "none": "–",
    "wilson": "Wilson",
    "clopper-pearson": "Clopper–Pearson",
    "wilson-effective-n": "Wilson on effective n",
    "newcombe": "Newcombe, paired",
    "newcombe-effective-n": "Newcombe on effective n",
    "cluster-bootstrap": "cluster bootstrap",
    "multinomial-bootstrap": "multinomial bootstrap",
    "bootstrap": "bootstrap",
}
_MOST_DECIMALS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """An estimate in words.

    Attributes:
        text: The value, or `undefined (why)`.
        interval: The interval, such as `0.8–2.2 %`; empty where there is none.
        detail: Confidence, method and n in one phrase, with any caution.
        n: How many independent pieces of evidence stand behind it.
        method: Name of the interval's method in words.
        sort: A plain number to sort by; empty where undefined.
        known: Whether there is a value.
        caution: What must be said about a value that exists; empty if nothing.

    """

    text: str
    interval: str
    detail: str
    n: str
    method: str
    sort: str
    known: bool
    caution: str

    @property
    def full(self) -> str:
        """Value and interval together, for a sentence."""
        return f"{self.text} ({self.interval})" if self.interval else self.text


def number(estimate: Estimate, unit: Unit, *, decimals: int | None = None) -> Number:
    """Say an estimate in words.

    Args:
        estimate: The estimate.
        unit: How the value is written.
        decimals: How many; as many as it needs by itself without it.

    """
    value, low, high = estimate.value, estimate.low, estimate.high
    reason = estimate.reason or ""
    method = _method_name(estimate.method)
    if math.isnan(value):
        why = reason or "no reason was given"
        return Number(
            text=f"undefined ({why})",
            interval="",
            detail=f"undefined: {why}",
            n=count(estimate.n),
            method=method,
            sort="",
            known=False,
            caution="",
        )
    digits = decimals_of([estimate], unit) if decimals is None else decimals
    span = "" if math.isnan(low + high) else between(low, high, unit, digits)
    return Number(
        text=amount(value, unit, digits),
        interval=span,
        detail=_detail(estimate, span, method),
        n=count(estimate.n),
        method=method,
        sort=repr(float(value)),
        known=True,
        caution=reason,
    )


def decimals_of(
    estimates: Iterable[Estimate],
    unit: Unit,
    *,
    most: int = 3,
    apart: tuple[float, float] | None = None,
) -> int:
    """Return with how many decimals to write all of these, so that columns are even.

    Args:
        estimates: The estimates.
        unit: How the values are written.
        most: The most that a large n may ask for.
        apart: A bound, nan where there is none, and a limit. Neither the bound nor
            any value or end of an interval may look equal to the limit where it is
            not.

    """
    known = [one for one in estimates if not math.isnan(one.value)]
    digits = max((_decimals(unit, one, most) for one in known), default=1)
    if apart is None:
        return digits
    bound, limit = apart
    values = [end for one in known for end in (one.value, one.low, one.high)]
    return _apart(unit, digits, [bound, *values], limit)


def amount(value: float, unit: Unit, decimals: int) -> str:
    r"""Write one value with its unit.

    Examples:
        >>> amount(0.013, "share", 1), amount(-0.004, "points", 1)
        ('1.3\xa0%', '−0.4\xa0points')

    """
    return _bare(value, unit, decimals) + _suffix(unit)


def between(low: float, high: float, unit: Unit, decimals: int) -> str:
    r"""Write an interval with its unit once.

    Examples:
        >>> between(0.008, 0.022, "share", 1)
        '0.8–2.2\xa0%'
        >>> between(-0.002, 0.004, "points", 1)
        '−0.2 to +0.4\xa0points'

    """
    signed = unit == "points" or min(low, high) < 0
    joint = " to " if signed else "–"
    ends = (_bare(low, unit, decimals), _bare(high, unit, decimals))
    return joint.join(ends) + _suffix(unit)


def limit(value: float, unit: Unit) -> str:
    r"""Write a limit exactly as it was set.

    Examples:
        >>> limit(0.005, "share"), limit(-0.002, "points"), limit(0.9, "plain")
        ('0.5\xa0%', '−0.2\xa0points', '0.9')

    """
    shown = round(value if unit == "plain" else 100 * value, 10)
    sign = _MINUS if shown < 0 else "+" if unit == "points" and shown > 0 else ""
    return f"{sign}{abs(shown):.10g}{_suffix(unit)}"


def count(value: float) -> str:
    """Write a whole number with separators.

    Examples:
        >>> count(12032)
        '12,032'

    """
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.1f}"


def counted(value: int, noun: str, plural: str | None = None) -> str:
    """Write a count with its noun.

    Examples:
        >>> counted(1, "gate"), counted(0, "query", "queries")
        ('1 gate', '0 queries')

    """
    return f"{count(value)} {noun if value == 1 else plural or noun + 's'}"


def short(value: float) -> str:
    """Write a large number with three digits.

    Examples:
        >>> short(22_713_216), short(57_750), short(950)
        ('22.7 M', '57.8 k', '950')

    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.0f}"


def percent(value: float | None, decimals: int = 1) -> str:
    """Write a share as percent; a dash for none."""
    return "–" if value is None else amount(value, "share", decimals)


def decimal(value: float | None, decimals: int = 2) -> str:
    """Write a plain number such as a score; a dash for none."""
    return "–" if value is None or math.isnan(value) else _fixed(value, decimals)


def p_value(value: float) -> str:
    """Write a p-value.

    Examples:
        >>> p_value(0.0312), p_value(0.00002), p_value(math.nan)
        ('0.031', '< 0.001', 'undefined')

    """
    if math.isnan(value):
        return "undefined"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"  # noqa: PLR2004


def _method_name(method: str) -> str:
    """Name an interval's method in words.

    Examples:
        >>> _method_name("wider of wilson-effective-n and linearised")
        'the wider of Wilson on effective n and linearised'

    """
    one, both, other = method.removeprefix("wider of ").partition(" and ")
    if both:
        return f"the wider of {_method_name(one)} and {_method_name(other)}"
    return _METHODS.get(method, method.replace("-", " ").replace("_", " "))


def confidence(level: float) -> str:
    r"""Write a confidence level.

    Examples:
        >>> confidence(0.95), confidence(0.9875)
        ('95\xa0%', '98.75\xa0%')

    """
    return f"{round(100 * level, 4):g}{SPACE}%"


def _detail(estimate: Estimate, span: str, method: str) -> str:
    level = confidence(estimate.confidence)
    interval = f"{level} interval {span}, {method}" if span else "no interval"
    parts = [f"{interval}; n{SPACE}={SPACE}{count(estimate.n)}"]
    if estimate.reason:
        parts.append(estimate.reason)
    return "; ".join(parts)


def _suffix(unit: Unit) -> str:
    return {"share": f"{SPACE}%", "points": f"{SPACE}points", "plain": ""}[unit]


def _bare(value: float, unit: Unit, decimals: int) -> str:
    shown = value if unit == "plain" else 100 * value
    text = _fixed(shown, decimals)
    return f"+{text}" if unit == "points" and text.strip("0.") and shown > 0 else text


def _fixed(value: float, decimals: int) -> str:
    text = f"{abs(value):,.{decimals}f}"
    return f"{_MINUS}{text}" if value < 0 and text.strip("0.,") else text


def _decimals(unit: Unit, estimate: Estimate, most: int) -> int:
    """Return as many decimals as n examples can tell apart, and no 0 for some."""
    value, n = estimate.value, estimate.n
    if unit == "plain":
        known = (value, estimate.low, estimate.high)
        largest = max(abs(v) for v in known if not math.isnan(v))
        return 3 if largest < 10 else 2 if largest < 1000 else 1  # noqa: PLR2004
    digits = min(most, max(1, math.ceil(math.log10(max(n, 10))) - 2))
    edges = (0.0, 1.0) if unit == "share" else (0.0,)
    return _apart(unit, digits, [value], *edges)


def _apart(unit: Unit, digits: int, values: list[float], *marks: float) -> int:
    """Return enough decimals for unequal numbers to look unequal."""
    known = [v for v in values if not math.isnan(v)]
    pairs = [(v, mark) for v in known for mark in marks if v != mark]
    while digits < _MOST_DECIMALS and any(
        _bare(v, unit, digits) == _bare(mark, unit, digits) for v, mark in pairs
    ):
        digits += 1
    return digits
