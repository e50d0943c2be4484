"""Rates as people write them: a fraction, or a percentage with its sign."""

from decimal import Decimal, InvalidOperation


def fraction_of(text: str) -> float | None:
    """Return the fraction that a percentage stands for; `None` where it is none.

    Examples:
        >>> fraction_of("0.7%"), fraction_of("7 %"), fraction_of("0.07")
        (0.007, 0.07, None)

    """
    number = text.strip()
    if not number.endswith("%"):
        return None
    try:
        return float(Decimal(number[:-1].strip()) / 100)
    except InvalidOperation:
        return None
