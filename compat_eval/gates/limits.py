"""Which quantities have limits, and which limits make sense."""

import math
from collections.abc import Iterator

from compat_eval.statistics.families.flips import FLIP_STATISTICS

LOSS, PROTECTED = "loss", "protected"
_ALL_PERCENT = 100
_FRACTIONS = frozenset({None, "accuracy", "macro_f1", "slot_f1", "ece"})
"""The metrics that lie between 0 and 1; those of plug-ins may have no end."""


def known_quantities() -> tuple[str, ...]:
    """Return every quantity that a gate can limit."""
    return (*FLIP_STATISTICS, LOSS, PROTECTED)


def limit_defects(
    name: str,
    limit: float,
    quantity: str,
    *,
    of: str | None = None,
    relative: bool = False,
) -> Iterator[str]:
    """Yield what is wrong with a limit, in words that follow its place.

    Examples:
        >>> list(limit_defects("at_most", 2, "nfr"))
        ['at_most must be a fraction in [0, 1]; got 2. For 2 % write 0.02.']

    """
    low, high = _range(quantity, of)
    number = float(limit) if _is_number(limit) else math.nan
    if math.isfinite(number) and low <= number <= high:
        gains = relative and quantity == "accuracy_change"  # may more than double
        if number == low and name == "at_least":
            yield f"at_least {_plain(low)} is no demand: no result can be below it"
        elif number == high and name == "at_most" and not gains:
            yield f"at_most {_plain(high)} is no demand: no result can be above it"
        return
    kind = "a number" if math.isinf(high) else "a fraction"
    close = ")" if math.isinf(high) else "]"
    start = "(" if math.isinf(low) else "["
    message = (
        f"{name} must be {kind} in {start}{_plain(low)}, {_plain(high)}{close}; "
        f"got {limit!r}"
    )
    if not math.isinf(high) and 1 < abs(number) <= _ALL_PERCENT:
        message += f". For {number:g} % write {number / 100:g}."
    yield message


def _range(quantity: str, of: str | None) -> tuple[float, float]:
    if quantity == LOSS:
        return (0.0, 1.0) if of in _FRACTIONS else (0.0, math.inf)
    if quantity == "accuracy_change":
        return -1.0, 1.0
    return 0.0, math.inf if quantity == "relative_nfr" else 1.0


def _is_number(limit: object) -> bool:
    return isinstance(limit, int | float) and not isinstance(limit, bool)


def _plain(number: float) -> str:
    return "infinity" if math.isinf(number) else f"{number:g}"
