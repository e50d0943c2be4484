"""Which way to handle an update is better than another: accuracy against flips.

Keeping OLD, NEW as it is, and NEW under each mitigation are points: accuracy, and the
negative flip rate against OLD. One dominates another where it is shown to be more
accurate *and* shown to break less. Each half is a paired one-sided test on the same
units: of accuracy an exact McNemar test over all units, of the flip rate the same over
the units that OLD gets right (where units share clusters or have weights, the tests
that belong to their bounds). Both must hold, so the larger p-value is that of the claim
(intersection–union: Berger, "Multiparameter Hypothesis Testing and Acceptance
Sampling", Technometrics 1982). Over all pairs, in both directions, Holm's procedure
keeps the chance of any wrong claim at most 1 − confidence.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from compat_eval.comparison.panel import NEW, OLD
from compat_eval.comparison.update import Update
from compat_eval.core.arrays import Values
from compat_eval.core.estimate import Estimate, defined
from compat_eval.core.grades import BROKEN, KEPT, MISSED
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import (
    FLIP_STATISTICS,
    accuracy_new,
    nfr,
    pfr,
)
from compat_eval.statistics.intervals.evidence import Evidence
from compat_eval.statistics.multiplicity import holm

_TEST = (
    "paired one-sided McNemar tests of accuracy over all units and of negative flips "
    "over those that OLD gets right, both at once (intersection-union)"
)
_CLUSTERED = (
    "paired one-sided tests, of the bounds that know clusters and weights, of accuracy "
    "over all units and of negative flips over those that OLD gets right, both at once "
    "(intersection-union)"
)


def frontier(
    update: Update, effects: Mapping[str, str], *, confidence: float
) -> dict[str, Any] | None:
    """Return what each way is worth, and which dominates which, JSON-ready.

    Args:
        update: From OLD to NEW, with the mitigated roles in its panel.
        effects: By mitigated role, its effect in one word.
        confidence: Of intervals, and of all claims together.

    Returns:
        At the main level: `points` with accuracy, `nfr`, `pfr` and `net_gain` against
        OLD and the differences from NEW; `pairs` with `relation`, what `one` is to the
        `other`. `None` where units are not right or wrong.

    """
    level = update.levels[0]
    if update.cells[level].level.scale != "right":
        return None
    roles = (OLD, NEW, *effects)
    pairs = list(combinations(roles, 2))
    compared = [_Pair(update, level, one, other) for one, other in pairs]
    claims = [p for one in compared for p in one.p_values()]
    adjusted = holm(claims).reshape(-1, 2)
    return {
        "level": level,
        "test": _CLUSTERED if update.table(level).clustered else _TEST,
        "correction": "holm",
        "n_claims": len(claims),
        "alpha": 1 - confidence,
        "points": [
            {**_point(update, level, role, confidence), "effect": effects.get(role)}
            for role in roles
        ],
        "pairs": [
            {
                "one": one,
                "other": other,
                "relation": _relation(p, 1 - confidence),
                "p_dominates": float(p[0]),
                "p_dominated": float(p[1]),
                **found.differences(confidence),
            }
            for (one, other), found, p in zip(pairs, compared, adjusted, strict=True)
        ],
    }


class _Pair:
    """Two ways beside each other, on the same units."""

    def __init__(self, update: Update, level: str, one: str, other: str) -> None:
        change = FLIP_STATISTICS["accuracy_change"]
        between = Update(panel=update.panel, old_role=other, new_role=one)
        codes = update.cells[level].codes
        old_right = (codes == KEPT) | (codes == BROKEN)
        # Only units that OLD gets right can break: there, what one of them has right
        # and the other wrong is a difference in negative flips, and nothing else is.
        flips = np.where(old_right, between.cells[level].codes, MISSED)
        self._accuracy: Evidence = evidence(between.table(level), change)
        self._cut: Evidence = evidence(between.recounted(level, flips), change)

    def p_values(self) -> tuple[float, float]:
        """Return those of "one dominates the other", and of the reverse."""
        return (
            max(self._accuracy.p_at_most(0.0), self._cut.p_at_most(0.0)),
            max(self._accuracy.p_above(0.0), self._cut.p_above(0.0)),
        )

    def differences(self, confidence: float) -> dict[str, Any]:
        """Return accuracy and negative flip rate of one less those of the other."""
        cut = self._cut.estimate(confidence)
        return {
            "accuracy_change": self._accuracy.estimate(confidence).to_dict(),
            "nfr_change": _negated(cut).to_dict(),
        }


def _point(update: Update, level: str, role: str, confidence: float) -> dict[str, Any]:
    row = Update(panel=update.panel, new_role=role).table(level).totals
    broken, fixed = float(nfr(row)), float(pfr(row))
    return {
        "role": role,
        "accuracy": defined(float(accuracy_new(row))),
        "nfr": defined(broken),
        "pfr": defined(fixed),
        "net_gain": defined(fixed - broken),
        "against_new": _Pair(update, level, role, NEW).differences(confidence),
    }


def _relation(adjusted: Values, alpha: float) -> str:
    """Say what one is to the other; at most one of the two claims can hold."""
    if adjusted[0] <= alpha:
        return "dominates"
    return "dominated" if adjusted[1] <= alpha else "undecided"


def _negated(found: Estimate) -> Estimate:
    low, high = (
        0.0 - end if math.isfinite(end) else end for end in (found.high, found.low)
    )
    return replace(found, value=0.0 - found.value, low=low, high=high)
