"""What is demanded of an update, and how it is judged."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from compat_eval.gates import Gate


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """Gates, protected examples, and the confidence of it all.

    Attributes:
        gates: The gates with limits.
        protected_ids: Examples that may not break at all.
        protected_slices: Slices of which no example may break.
        correction: How gates share the allowed error.
        confidence: Of intervals and gates, in (0.5, 1).

    """

    gates: tuple[Gate, ...] = ()
    protected_ids: tuple[str, ...] = ()
    protected_slices: tuple[str, ...] = ()
    correction: Literal["holm", "none"] = "holm"
    confidence: float = 0.95

    def all_gates(self) -> tuple[Gate, ...]:
        """Return the gates, those of protected examples last."""
        return (*self.gates, *self._protecting())

    def _protecting(self) -> Iterator[Gate]:
        if self.protected_ids:
            yield Gate(quantity="protected", ids=self.protected_ids)
        for part in self.protected_slices:
            yield Gate(quantity="protected", slice=part)
