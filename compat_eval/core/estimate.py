"""A number with how far it could have moved by chance."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value, its interval, and how the interval was made.

    Attributes:
        value: The number; nan where it is undefined, with the `reason`.
        low: Lower end of the interval; nan where there is none.
        high: Upper end of the interval; nan where there is none.
        confidence: Two-sided confidence level of the interval, in (0, 1).
        method: Name of the interval's method, such as `wilson` or `newcombe`.
        n: How many independent pieces of evidence stand behind it: units,
            or clusters where units share one.
        reason: Why the value or its interval is undefined, or a caution about
            it; `None` where there is nothing to say.

    """

    value: float
    low: float
    high: float
    confidence: float
    method: str
    n: int
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields; undefined numbers become `None`."""
        return {
            "value": defined(self.value),
            "low": defined(self.low),
            "high": defined(self.high),
            "confidence": self.confidence,
            "method": self.method,
            "n": self.n,
            "reason": self.reason,
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Estimate":
        """Read back what `to_dict` wrote."""
        numbers = {key: as_number(fields[key]) for key in ("value", "low", "high")}
        return cls(**{**fields, **numbers})


def undefined(reason: str, *, confidence: float, method: str, n: int = 0) -> Estimate:
    """Return the estimate of a number that does not exist here."""
    nan = math.nan
    return Estimate(
        value=nan,
        low=nan,
        high=nan,
        confidence=confidence,
        method=method,
        n=n,
        reason=reason,
    )


_DIGITS = 12


def rounded(value: Any) -> Any:  # noqa: ANN401 - anything JSON-ready
    """Round every float of a JSON-ready value to 12 significant digits.

    The last digits of a sum depend on the processor and on how many threads share it.

    Examples:
        >>> rounded({"a": [0.1 + 0.2, 1 / 3, 2, "b"]})
        {'a': [0.3, 0.333333333333, 2, 'b']}

    """
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, Mapping):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(inner) for inner in value]
    return value


def defined(number: float) -> float | None:
    """Return the number, or `None` for nan and the infinities (JSON has none)."""
    return float(number) if math.isfinite(number) else None


def as_number(found: float | None) -> float:
    """Return what `defined` was given: nan for `None`."""
    return math.nan if found is None else float(found)
