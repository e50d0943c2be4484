"""Examples that may not break: no limit, no statistics."""

import math
from dataclasses import dataclass

from compat_eval.core.errors import some
from compat_eval.core.estimate import Estimate, undefined
from compat_eval.core.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedFinding:
    """What became of protected examples.

    Attributes:
        examples: How many protected examples were compared.
        broken: Ids of those that broke (with several units: any of them).
        unknown: Ids of those that new has wrong, and in which old made an error.
        could_break: How many of them old has right; `None` where nobody knows.

    """

    examples: int
    broken: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    could_break: int | None = None

    def estimate(self, confidence: float) -> Estimate:
        """Return the broken share; it has no interval, for it is no sample."""
        if not self.examples:
            reason = "no protected example was compared"
            return undefined(reason, confidence=confidence, method="count")
        return Estimate(
            value=len(self.broken) / self.examples,
            low=math.nan,
            high=math.nan,
            confidence=confidence,
            method="count",
            n=self.examples,
            reason="counted, not estimated: protected examples are no sample",
        )

    def verdict(self) -> tuple[Verdict, str]:
        """Fail with the first broken example, pass without; and say why."""
        if self.broken:
            count = f"{len(self.broken)} of {self.examples} protected examples broke"
            return Verdict.FAIL, f"{count}: {some(self.broken)}"
        if not self.examples:
            return Verdict.INCONCLUSIVE, "no protected example was compared"
        if self.unknown:
            count = f"{len(self.unknown)} of {self.examples} protected examples"
            reason = f"old has errors in place of answers to {count} that new has wrong"
            return Verdict.INCONCLUSIVE, f"{reason}: {some(self.unknown)}"
        if self.could_break == 0:
            reason = f"old has none of {self.examples} protected examples right"
            return Verdict.INCONCLUSIVE, f"{reason}, so none could break"
        return Verdict.PASS, f"none of {self.examples} protected examples broke"
