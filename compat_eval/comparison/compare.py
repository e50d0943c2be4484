"""Count, estimate and judge: from two aligned sides to a `Comparison`."""

from collections.abc import Mapping, Sequence
from typing import Any

from compat_eval.comparison.alignment import Pairing
from compat_eval.comparison.analyses.further import analyses
from compat_eval.comparison.analyses.noise import Rerun, noise
from compat_eval.comparison.demands import Demands
from compat_eval.comparison.ill_sides import doubts_about
from compat_eval.comparison.judging import judged
from compat_eval.comparison.measured import Measured
from compat_eval.comparison.result import Comparison, TaskComparison
from compat_eval.comparison.summaries import (
    level_summaries,
    metric_comparisons,
    slice_summaries,
)
from compat_eval.comparison.treated import Treated, summarise
from compat_eval.core.protocols import Task
from compat_eval.core.verdict import worst


def compare_aligned(
    pairing: Pairing,
    task: Task,
    *,
    name: str,
    levels: Sequence[str],
    demands: Demands,
    seed: int = 0,
    doubts: Sequence[str] = (),
    max_errors: float = 0.0,
    rerun: Rerun | None = None,
    labels: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    treated: Sequence[Treated] = (),
) -> Comparison:
    """Compare two sides that are aligned.

    Args:
        pairing: Examples and both sides, row by row.
        task: Says what is right.
        name: Of the suite or task; part of every random number's key.
        levels: The levels to count, the most important first.
        demands: The gates.
        seed: Random seed.
        doubts: Why no gate may pass, in clauses, as far as the sides do not show it.
        max_errors: The largest share of a side's answers that may be errors.
        rerun: What OLD answered a second time, where an A/A run was asked for.
        labels: In which labels the models differ.
        notes: What a reader must know, in sentences.
        settings: What else decided the numbers, JSON-ready.
        treated: What NEW answers under treatments. Gates judge NEW without them.

    Raises:
        SuiteError: A gate names a quantity, level or slice that is not there.

    """
    measured = Measured(
        name=name,
        task=task,
        pairing=pairing,
        levels=levels,
        seed=seed,
    )
    again = None if rerun is None else rerun.measured(measured)
    doubts = tuple(dict.fromkeys((*doubts, *doubts_about(measured, max_errors))))
    gates = judged(measured, demands, doubts=doubts, again=again)
    metrics = metric_comparisons(measured, confidence=demands.confidence)
    found = TaskComparison(
        name=name,
        kind=task.kind,
        n_examples=len(pairing.examples),
        levels=level_summaries(measured, confidence=demands.confidence),
        metrics=metrics,
        slices=tuple(slice_summaries(measured, confidence=demands.confidence)),
        analyses=analyses(
            measured,
            metrics=metrics,
            gates=gates,
            noise=None
            if again is None or rerun is None
            else noise(again, rerun.what, confidence=demands.confidence),
            labels=labels,
            confidence=demands.confidence,
        ),
        pairing=pairing,
        mitigations=tuple(
            summarise(one, measured, confidence=demands.confidence) for one in treated
        ),
    )
    return Comparison(
        suite=name,
        tasks=(found,),
        coverage=pairing.coverage,
        gates=gates,
        verdict=worst(gate.verdict for gate in gates),
        doubts=doubts,
        notes=tuple(notes),
        settings={
            **(settings or {}),
            "confidence": demands.confidence,
            "correction": demands.correction,
            "levels": list(levels),
        },
    )
