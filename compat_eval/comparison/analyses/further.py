"""What else a reader wants to know about the flips of one task."""

from collections.abc import Mapping, Sequence
from typing import Any

from compat_eval.comparison.analyses.breakdowns import breakdowns
from compat_eval.comparison.analyses.calibration import reliability
from compat_eval.comparison.analyses.coflips import coflips
from compat_eval.comparison.analyses.confusion_flow import confusion_flow
from compat_eval.comparison.analyses.fragility import fragility
from compat_eval.comparison.analyses.slice_search import slice_search
from compat_eval.comparison.result import MetricComparison
from compat_eval.comparison.update import Update
from compat_eval.core.grades import BROKEN
from compat_eval.core.predictions import Predictions
from compat_eval.gates import GateResult


def analyses(
    update: Update,
    *,
    metrics: Mapping[str, MetricComparison],
    gates: Sequence[GateResult],
    envelope: float | None,
    labels: Mapping[str, Any] | None,
    confidence: float,
) -> dict[str, Any]:
    """Return the further findings of a comparison, JSON-ready, by name."""
    level = update.levels[0]
    broken = update.examples_with(level, BROKEN)
    flow, rest = confusion_flow(update, broken)
    return {
        "breakdowns": breakdowns(update, confidence=confidence),
        "coflips": coflips(update),
        "slice_search": slice_search(update, broken),
        "confusion_flow": flow,
        "confusion_flow_rest": rest,
        "calibration": _calibration(update, level, metrics),
        "fragility": fragility(update, gates, envelope=envelope),
        "labels": None if labels is None else dict(labels),
    }


def _calibration(
    update: Update, level: str, metrics: Mapping[str, MetricComparison]
) -> dict[str, Any] | None:
    sides = {"old": update.old_role, "new": update.new_role}
    answers = update.panel.answers
    cells = update.cells[level]
    whole = cells.one_unit_an_example and cells.level.scale == "right"
    if not whole or not all(_scored(answers[role]) for role in sides.values()):
        return None
    ece = metrics.get("ece")
    return {
        name: {
            "bins": reliability(answers[role], update.panel.grades(role)[level].right),
            "ece": None if ece is None else getattr(ece, name).to_dict(),
        }
        for name, role in sides.items()
    }


def _scored(side: Predictions) -> bool:
    return "score" in side and side.column("score").null_count < len(side)
