"""OLD against itself: how much of a difference is no difference at all (`--aa`)."""

from typing import Any

import numpy as np

from compat_eval.comparison.update import Update
from compat_eval.core.grades import BROKEN, FIXED
from compat_eval.core.predictions import Predictions
from compat_eval.statistics.evidence import evidence

_WHAT = "half the batch size, so that other examples share a batch"


def noise(again: Update, *, confidence: float) -> dict[str, Any]:
    """Return what changed between OLD's two runs at the first level, JSON-ready.

    `floor` is the share of units that broke (or got worse) between them,
    `margin_envelope` the largest change of a margin (`None` without margins).
    """
    level = again.levels[0]
    flips = np.isin(again.cells[level].codes, (BROKEN, FIXED))
    statistics = again.statistics_at(level).values()
    harm = next(one for one in statistics if one.certified)
    floor = evidence(again.table(level), harm)
    return {
        "flips": int(np.count_nonzero(flips)),
        "changed": int(np.count_nonzero(again.changed)),
        "examples": len(again.examples),
        "floor": floor.estimate(confidence).to_dict(),
        "margin_envelope": _envelope(again.old, again.new),
        "what": _WHAT,
    }


def _envelope(once: Predictions, again: Predictions) -> float | None:
    if "margin" not in once or "margin" not in again:
        return None
    moved = np.abs(once.numbers("margin") - again.numbers("margin"))
    known = moved[~np.isnan(moved)]
    return float(known.max()) if len(known) else None
