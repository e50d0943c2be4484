"""Count, estimate and judge: from a panel to a `Comparison`."""

from collections.abc import Mapping, Sequence
from typing import Any

from compat_eval.comparison.analyses.further import analyses
from compat_eval.comparison.analyses.noise import noise
from compat_eval.comparison.coverage import Coverage
from compat_eval.comparison.demands import Demands
from compat_eval.comparison.ill_sides import doubts_about
from compat_eval.comparison.judging import judged
from compat_eval.comparison.panel import AGAIN, OLD, Panel, mitigation_role
from compat_eval.comparison.result import Comparison, TaskComparison
from compat_eval.comparison.summaries import (
    level_summaries,
    metric_comparisons,
    slice_summaries,
)
from compat_eval.comparison.treated import summarise
from compat_eval.comparison.update import Update
from compat_eval.core.verdict import worst

RERUN = "half the batch size, so that other examples share a batch"
"""What is different when OLD is asked a second time."""


def compare_panel(
    panel: Panel,
    *,
    demands: Demands,
    doubts: Sequence[str] = (),
    max_errors: float = 0.0,
    labels: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    mitigations: Sequence[Mapping[str, Any]] = (),
    left_out: Mapping[str, int] | None = None,
) -> Comparison:
    """Compare the roles of a panel.

    Args:
        panel: With the roles `old` and `new`; `old again` where OLD was asked twice,
            and one role for each mitigation.
        demands: The gates. They judge NEW without mitigations.
        doubts: Why no gate may pass, in clauses, as far as the sides do not show it.
        max_errors: The largest share of a side's answers that may be errors.
        labels: In which labels the models differ.
        notes: What a reader must know, in sentences.
        settings: What else decided the numbers, JSON-ready.
        mitigations: What is known of each, with the keys of `FACTS`.
        left_out: How many examples were mismatched, dropped and without gold.

    Raises:
        SuiteError: A gate names a quantity, level or slice that is not there.

    """
    update, confidence = Update(panel=panel), demands.confidence
    again = None
    if AGAIN in panel.answers:
        again = Update(panel=panel, old_role=OLD, new_role=AGAIN)
    doubts = tuple(dict.fromkeys((*doubts, *doubts_about(update, max_errors))))
    gates = judged(update, demands, doubts=doubts, again=again)
    metrics = metric_comparisons(update, confidence=confidence)
    found = TaskComparison(
        name=panel.name,
        kind=panel.task.kind,
        n_examples=len(panel.examples),
        levels=level_summaries(update, confidence=confidence),
        metrics=metrics,
        slices=tuple(slice_summaries(update, confidence=confidence)),
        analyses=analyses(
            update,
            metrics=metrics,
            gates=gates,
            noise=None if again is None else noise(again, RERUN, confidence=confidence),
            labels=labels,
            confidence=confidence,
        ),
        update=update,
        mitigations=tuple(
            summarise(
                update,
                Update(panel=panel, new_role=mitigation_role(facts["slug"])),
                facts,
                confidence=confidence,
            )
            for facts in mitigations
        ),
    )
    return Comparison(
        suite=panel.name,
        tasks=(found,),
        coverage=Coverage.of(update, **(left_out or {})),
        gates=gates,
        verdict=worst(gate.verdict for gate in gates),
        doubts=doubts,
        notes=tuple(notes),
        settings={
            **(settings or {}),
            "confidence": confidence,
            "correction": demands.correction,
            "levels": list(panel.levels),
        },
    )
