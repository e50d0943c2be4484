"""A treated NEW beside the untreated one, both against OLD.

Levels and metrics are counted as those of any update. What the treatment changes is
estimated from the same examples under both, resampled together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from compat_eval.comparison.result import FlipSummary, MetricComparison
from compat_eval.comparison.summaries import level_summaries, metric_comparisons
from compat_eval.comparison.treatment_effect import effect, effects
from compat_eval.comparison.update import Update
from compat_eval.core.estimate import Estimate

FACTS = ("name", "slug", "method", "options", "cost", "chosen")
"""What is known of a treatment without its answers: its name, the stem of its file, the
method and its options, what it costs, and how dev chose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatedSummary:
    """What a treatment makes of an update.

    Attributes:
        facts: With the keys of `FACTS`.
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
    untreated: Update, treated: Update, facts: Mapping[str, Any], *, confidence: float
) -> TreatedSummary:
    """Compare treated NEW with OLD, and with NEW as it was.

    Args:
        untreated: From OLD to NEW.
        treated: From OLD to treated NEW.
        facts: With the keys of `FACTS`.
        confidence: Of intervals.

    """
    found = effects(untreated, treated, confidence=confidence)
    first = untreated.levels[0]
    return TreatedSummary(
        facts={key: facts[key] for key in FACTS},
        errors=int(np.count_nonzero(treated.new.errors())),
        levels=level_summaries(treated, confidence=confidence),
        metrics=metric_comparisons(treated, confidence=confidence),
        against_new=found,
        agreement_old={
            "new": _agreement(untreated),
            "treated": _agreement(treated),
        },
        effect=effect(found[first], untreated.table(first), treated.table(first)),
    )


def _agreement(update: Update) -> float:
    return float(np.count_nonzero(~update.changed) / len(update.changed))
