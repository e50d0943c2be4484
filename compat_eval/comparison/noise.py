"""The A/A floor: how much of a difference is no difference at all."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from compat_eval.comparison.levels import correctness, differs
from compat_eval.core.estimate import Estimate
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.protocols import Task
from compat_eval.metrics.flips import QUANTITIES, cell_codes
from compat_eval.stats.flips import FlipTable, evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """What changed when the old model ran a second time under other conditions.

    Attributes:
        flips: Units that were right once and wrong once.
        changed: Examples whose prediction changed.
        examples: How many examples there are.
        floor: The negative flip rate of the old model against itself.
        envelope: The largest change of a margin; `None` without margins.
        what: What was different the second time.

    """

    flips: int
    changed: int
    examples: int
    floor: Estimate
    envelope: float | None
    what: str

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {
            "flips": self.flips,
            "changed": self.changed,
            "examples": self.examples,
            "floor": self.floor.to_dict(),
            "margin_envelope": self.envelope,
            "what": self.what,
        }


def noise(
    task: Task,
    examples: Examples,
    once: Predictions,
    again: Predictions,
    *,
    level: str,
    what: str,
    confidence: float = 0.95,
) -> Noise:
    """Compare two runs of one model; all three tables have one order."""
    first = correctness(task, examples, once, level)
    second = correctness(task, examples, again, level)
    codes = cell_codes(first.right, second.right)
    table = FlipTable.of(codes, offsets=first.offsets, clusters=examples.clusters())
    return Noise(
        flips=int(np.count_nonzero(first.right != second.right)),
        changed=int(
            np.count_nonzero(
                differs(once.column("prediction"), again.column("prediction"))
            )
        ),
        examples=len(examples),
        floor=evidence(table, QUANTITIES["nfr"]).estimate(confidence),
        envelope=_envelope(once, again),
        what=what,
    )


def _envelope(once: Predictions, again: Predictions) -> float | None:
    if "margin" not in once or "margin" not in again:
        return None
    moved = np.abs(once.numbers("margin") - again.numbers("margin"))
    known = moved[~np.isnan(moved)]
    return float(known.max()) if len(known) else None
