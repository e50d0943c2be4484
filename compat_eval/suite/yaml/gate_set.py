"""The demands of a gates file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from compat_eval.gates import Gate
from compat_eval.suite.yaml.gate_rules import GatesFile, Protected


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSet:
    """What is demanded of an update, apart from any suite.

    Attributes:
        gates: The demands.
        correction: How they share the allowed error.
        confidence: Of intervals and gates, in (0.5, 1).
        protected: Examples that may not break at all.
        config: The same, JSON-ready; defaults are left out.

    """

    gates: tuple[Gate, ...]
    correction: Literal["holm", "none"]
    confidence: float
    protected: Protected
    config: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_file(cls, file: GatesFile) -> "GateSet":
        """Make the demands of a validated file."""
        return cls(
            gates=tuple(rule.gate() for rule in file.gates),
            correction=file.correction,
            confidence=file.confidence,
            protected=file.protected,
            config=file.model_dump(mode="json", exclude_defaults=True),
        )
