"""How often each model is right when it says it is this sure."""

from typing import Any

import numpy as np

from compat_eval.comparison.result import ComparedStatistic
from compat_eval.comparison.update import Update
from compat_eval.core.arrays import Bools
from compat_eval.core.predictions import Predictions

_N_BINS = 10


def calibration(
    update: Update, error: ComparedStatistic | None
) -> dict[str, Any] | None:
    """Return bins and calibration error of both sides at the first level.

    `None` where examples are not its units, or a side has no scores.

    Args:
        update: The update.
        error: The calibration error of both sides, where it is known.

    """
    level, panel = update.levels[0], update.panel
    sides = {"old": update.old_role, "new": update.new_role}
    cells = update.cells[level]
    whole = cells.one_unit_an_example and cells.level.scale == "right"
    if not whole or not all(_scored(panel.answers[role]) for role in sides.values()):
        return None
    return {
        name: {
            "bins": _reliability(panel.answers[role], panel.grades(role)[level].right),
            "ece": None if error is None else getattr(error, name).to_dict(),
        }
        for name, role in sides.items()
    }


def _scored(side: Predictions) -> bool:
    return "score" in side and side.column("score").null_count < len(side)


def _reliability(predictions: Predictions, right: Bools) -> list[dict[str, Any]]:
    """Return ten bins of equal width with what was said and what was right.

    A bin has `low`, `high` (scores in (low, high]), `n`, and the mean
    `confidence` and `accuracy` in it, `None` where it is empty.
    """
    score = predictions.numbers("score")
    known = ~np.isnan(score)
    score, hit = score[known], right[known].astype(np.float64)
    edges = np.linspace(0.0, 1.0, _N_BINS + 1)
    at = np.clip(np.searchsorted(edges, score, side="left") - 1, 0, _N_BINS - 1)
    n = np.bincount(at, minlength=_N_BINS)
    said = np.bincount(at, weights=score, minlength=_N_BINS)
    was = np.bincount(at, weights=hit, minlength=_N_BINS)
    return [
        {
            "low": float(edges[i]),
            "high": float(edges[i + 1]),
            "n": int(n[i]),
            "confidence": float(said[i] / n[i]) if n[i] else None,
            "accuracy": float(was[i] / n[i]) if n[i] else None,
        }
        for i in range(_N_BINS)
    ]
