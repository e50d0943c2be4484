"""What one state of an index makes of identities."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compat_eval.core.estimate import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexGeneration:
    """What one state of an index makes of identities.

    Attributes:
        name: Of the state, such as a role.
        f1: Pairwise F1, from 0 to 1, with its interval: identities are resampled.
        change: Less that of OLD's index, paired.
        changed: Share of the items that are in another cluster than in OLD's index.

    """

    name: str
    f1: Estimate
    change: Estimate
    changed: float

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {
            "name": self.name,
            "f1": self.f1.to_dict(),
            "change": self.change.to_dict(),
            "changed": self.changed,
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "IndexGeneration":
        """Read back what `to_dict` wrote."""
        found = {n: Estimate.from_dict(fields[n]) for n in ("f1", "change")}
        return cls(**{**fields, **found})
