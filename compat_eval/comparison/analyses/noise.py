"""OLD against itself: how much of a difference is no difference at all (`--aa`)."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from compat_eval.comparison.levels import changed
from compat_eval.comparison.measured import Measured
from compat_eval.core.predictions import Predictions
from compat_eval.statistics.families.flips import BROKEN, FIXED, QUANTITIES
from compat_eval.statistics.flips import evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """What OLD answered a second time.

    Attributes:
        predictions: Row by row with OLD's.
        what: What was different the second time.

    """

    predictions: Predictions
    what: str

    def measured(self, measured: Measured) -> Measured:
        """Return the comparison of OLD with itself: the same examples and measures."""
        pairing = measured.pairing
        nothing = np.zeros_like(pairing.bounded)
        return measured.with_pairing(
            replace(
                pairing,
                new=self.predictions,
                old_missing=nothing,
                new_missing=nothing,
            )
        )


def noise(again: Measured, what: str, *, confidence: float) -> dict[str, Any]:
    """Return what changed between OLD's two runs at the first level, JSON-ready.

    `floor` is the negative flip rate of OLD against itself, `margin_envelope` the
    largest change of a margin (`None` without margins).
    """
    level = again.levels[0]
    flips = np.isin(again.cells[level].codes, (BROKEN, FIXED))
    floor = evidence(again.table(level), QUANTITIES["nfr"])
    return {
        "flips": int(np.count_nonzero(flips)),
        "changed": int(np.count_nonzero(changed(again.pairing))),
        "examples": len(again.pairing.examples),
        "floor": floor.estimate(confidence).to_dict(),
        "margin_envelope": _envelope(again.pairing.old, again.pairing.new),
        "what": what,
    }


def _envelope(once: Predictions, again: Predictions) -> float | None:
    if "margin" not in once or "margin" not in again:
        return None
    moved = np.abs(once.numbers("margin") - again.numbers("margin"))
    known = moved[~np.isnan(moved)]
    return float(known.max()) if len(known) else None
