"""Count, estimate and judge: from two aligned sides to a `Comparison`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from compat_eval.comparison.calibration import reliability
from compat_eval.comparison.confusion_flow import confusion_flow
from compat_eval.comparison.fragility import fragility
from compat_eval.comparison.levels import correctness
from compat_eval.comparison.lookup import find_evidence
from compat_eval.comparison.measured import Measured
from compat_eval.comparison.noise import Noise
from compat_eval.comparison.result import (
    Comparison,
    FlipSummary,
    MetricComparison,
    TaskComparison,
)
from compat_eval.comparison.slice_search import slice_search
from compat_eval.comparison.slices import slices
from compat_eval.core.verdict import worst
from compat_eval.gates import Gate, GateResult, judge
from compat_eval.metrics.flips import BROKEN, CELLS, QUANTITIES
from compat_eval.stats.flips import FlipTable, evidence, mcnemar_p


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What is demanded of an update, and how it is judged.

    Attributes:
        gates: The gates, protected examples among them.
        correction: How gates share the allowed error.
        confidence: Of intervals and gates.

    """

    gates: tuple[Gate, ...] = ()
    correction: Literal["holm", "none"] = "holm"
    confidence: float = 0.95
