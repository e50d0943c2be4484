"""What else a reader wants to know about the flips of one task."""

from collections.abc import Mapping, Sequence
from typing import Any

from compat_eval.comparison.analyses.breakdowns import breakdowns
from compat_eval.comparison.analyses.calibration import reliability
from compat_eval.comparison.analyses.coflips import coflips
from compat_eval.comparison.analyses.confusion_flow import confusion_flow
from compat_eval.comparison.analyses.fragility import fragility
from compat_eval.comparison.analyses.slice_search import slice_search
from compat_eval.comparison.levels import graded
from compat_eval.comparison.measured import Measured
from compat_eval.comparison.result import MetricComparison
from compat_eval.core.predictions import Predictions
from compat_eval.gates import GateResult
from compat_eval.statistics.families.flips import BROKEN


def analyses(
    measured: Measured,
    *,
    metrics: Mapping[str, MetricComparison],
    gates: Sequence[GateResult],
    noise: Mapping[str, Any] | None,
    labels: Mapping[str, Any] | None,
    confidence: float,
) -> dict[str, Any]:
    """Return the further findings of a comparison, JSON-ready, by name."""
    level = measured.levels[0]
    broken = measured.examples_with(level, BROKEN)
    flow, rest = confusion_flow(measured.pairing, broken)
    return {
        "breakdowns": breakdowns(measured, confidence=confidence),
        "coflips": coflips(measured),
        "slice_search": slice_search(measured.pairing, broken),
        "confusion_flow": flow,
        "confusion_flow_rest": rest,
        "calibration": _calibration(measured, level, metrics),
        "noise": None if noise is None else dict(noise),
        "fragility": fragility(
            measured,
            gates,
            envelope=None if noise is None else noise["margin_envelope"],
        ),
        "labels": None if labels is None else dict(labels),
    }


def _calibration(
    measured: Measured, level: str, metrics: Mapping[str, MetricComparison]
) -> dict[str, Any] | None:
    sides = {"old": measured.pairing.old, "new": measured.pairing.new}
    whole = measured.cells[level].one_unit_an_example
    if not whole or not all(_scored(side) for side in sides.values()):
        return None
    ece = metrics.get("ece")
    return {
        name: {
            "bins": reliability(
                side,
                graded(measured.task, measured.pairing.examples, side, [level])[
                    level
                ].right,
            ),
            "ece": None if ece is None else getattr(ece, name).to_dict(),
        }
        for name, side in sides.items()
    }


def _scored(side: Predictions) -> bool:
    return "score" in side and side.column("score").null_count < len(side)
