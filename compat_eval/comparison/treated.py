"""A treated NEW beside the untreated one, both against OLD.

Levels and metrics are counted as those of any update. What the treatment changes is
estimated from the same examples under both, resampled together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from compat_eval.comparison.alignment import Pairing, align
from compat_eval.comparison.levels import differs
from compat_eval.comparison.measured import Measured
from compat_eval.comparison.result import FlipSummary, MetricComparison
from compat_eval.comparison.summaries import level_summaries, metric_comparisons
from compat_eval.comparison.treatment_effect import effect, effects
from compat_eval.core.arrays import Bools
from compat_eval.core.estimate import Estimate
from compat_eval.core.predictions import Predictions
from compat_eval.core.table import positions

FACTS = ("name", "slug", "method", "options", "cost", "chosen")
"""What is known of a treatment without its predictions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Treated:
    """What NEW answered under a treatment.

    Attributes:
        facts: JSON-ready, with the keys of `FACTS`: its name, the stem of its file,
            the method and its options, what it costs, and how dev chose.
        predictions: One for each example.

    """

    facts: Mapping[str, Any]
    predictions: Predictions

    @property
    def slug(self) -> str:
        """Stem of its file of predictions."""
        return str(self.facts["slug"])


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatedSummary:
    """What a treatment makes of an update.

    Attributes:
        facts: See `Treated`.
        errors: Examples for which the treated model raised.
        levels: Treated NEW against OLD, by level.
        metrics: Likewise, by metric.
        against_new: What the treatment changes, by level and quantity; see
            `treatment_effect`.
        agreement_old: Share of examples that are answered as OLD does, by NEW
            and by treated NEW.
        effect: `selective`, `mostly_old`, `unclear`, `drags_back` or `no_cut`.

    """

    facts: Mapping[str, Any]
    errors: int
    levels: Mapping[str, FlipSummary]
    metrics: Mapping[str, MetricComparison]
    against_new: Mapping[str, Mapping[str, Estimate]]
    agreement_old: Mapping[str, float]
    effect: str

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {
            **self.facts,
            "errors": self.errors,
            "levels": {k: level.to_dict() for k, level in self.levels.items()},
            "metrics": {k: metric.to_dict() for k, metric in self.metrics.items()},
            "against_new": {
                level: {name: one.to_dict() for name, one in found.items()}
                for level, found in self.against_new.items()
            },
            "agreement_old": dict(self.agreement_old),
            "effect": self.effect,
        }


def summarise(
    treated: Treated, untreated: Measured, *, confidence: float
) -> TreatedSummary:
    """Compare treated NEW with OLD, and with NEW as it was.

    Raises:
        CoverageError: The treated model did not answer the same examples.

    """
    pairing = paired(untreated.pairing, treated.predictions)
    measured = untreated.with_pairing(pairing)
    found = effects(untreated, measured, confidence=confidence)
    first = untreated.levels[0]
    return TreatedSummary(
        facts={key: treated.facts[key] for key in FACTS},
        errors=pairing.coverage.errors_new,
        levels=level_summaries(measured, confidence=confidence),
        metrics=metric_comparisons(measured, confidence=confidence),
        against_new=found,
        agreement_old={
            "new": _agreement(untreated.pairing),
            "treated": _agreement(pairing),
        },
        effect=effect(found[first], untreated.table(first), measured.table(first)),
    )


def paired(untreated: Pairing, treated: Predictions) -> Pairing:
    """Put treated NEW in the place of NEW."""
    asked = positions(treated.ids, untreated.examples.ids) >= 0
    found = align(untreated.examples, untreated.old, treated.take(asked))
    return replace(
        found, old_missing=untreated.old_missing, new_missing=untreated.new_missing
    )


def _agreement(pairing: Pairing) -> float:
    moved: Bools = differs(
        pairing.old.column("prediction"), pairing.new.column("prediction")
    )
    return float(np.count_nonzero(~moved) / len(moved))
