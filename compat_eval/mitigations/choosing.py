"""Which setting of a mitigation to use: chosen on dev, by a rule stated beforehand.

Of all settings shown to lose at most δ of NEW's accuracy at every level, the one
with the lowest NFI; of equals the mildest. Shown is what the paired interval says, not
the number alone: one that drags NEW back to OLD has a wide interval, and is not chosen
by luck. Combinations and recipes are chosen alike, over all options that are `auto`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from compat_eval.comparison.panel import NEW, OLD, Panel
from compat_eval.comparison.update import Update
from compat_eval.core.errors import UsageError
from compat_eval.core.estimate import defined
from compat_eval.core.predictions import Predictions
from compat_eval.mitigations.spec import MitigationSpec
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import (
    FLIP_STATISTICS,
    accuracy_new,
    nfi,
    nfr,
    pfr,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What one setting did on dev, paired with untreated NEW on the same examples.

    Attributes:
        setting: Value of each option that dev chooses, such as λ.
        nfi: Negative flip impact by level, in [0, 1]; nan where undefined.
        accuracy_low: Lower end of the paired 95 % interval of accuracy less that of
            untreated NEW, by level.

    """

    setting: Mapping[str, Any]
    nfi: Mapping[str, float]
    accuracy_low: Mapping[str, float]

    @property
    def mean_nfi(self) -> float:
        """Mean over the levels; nan where one is undefined."""
        return float(np.mean(list(self.nfi.values())))

    @property
    def worst_low(self) -> float:
        """The lowest such end: at the level that may lose most."""
        return min(self.accuracy_low.values())


def chosen(tried: Sequence[Tried], *, delta: float = 0.0) -> Tried:
    """Return the setting with the lowest mean NFI among those shown to lose at most δ.

    Where none is, it is the one that may lose least. Of equals the first.

    Args:
        tried: Settings, the mildest first.
        delta: The greatest loss of accuracy at any level, a fraction, at least 0.

    Raises:
        UsageError: Nothing was tried, or δ is negative.

    Examples:
        >>> mild = Tried(setting={"k": 3}, nfi={"las": 0.2}, accuracy_low={"las": 0.0})
        >>> keen = Tried(setting={"k": 9}, nfi={"las": 0.1}, accuracy_low={"las": -0.2})
        >>> chosen([mild, keen]).setting, chosen([mild, keen], delta=0.3).setting
        ({'k': 3}, {'k': 9})

    """
    if not tried:
        raise UsageError("no setting was tried, so none can be chosen")
    if delta < 0:
        raise UsageError(f"delta must be at least 0, got {delta}")
    harmless = [one for one in tried if one.worst_low >= -delta]
    if not harmless:
        return max(tried, key=lambda one: one.worst_low)
    return min(harmless, key=lambda one: np.nan_to_num(one.mean_nfi, nan=np.inf))


@dataclass(frozen=True, slots=True)
class DevChoice:
    """What dev chose, and from what.

    Attributes:
        spec: The mitigation with that setting.
        facts: JSON-ready: the `values` by option; the `split` and its `n_examples`;
            `delta`, and whether the setting is shown to lose no more (`harmless`), else
            it is the one that may lose least; by level `accuracy`, `nfr`, `nfi` and
            `pfr` of OLD in NEW's place (`keep_old`), of NEW itself (`untreated`) and
            of each setting (`tried`), with what it may lose.

    """

    spec: MitigationSpec
    facts: Mapping[str, Any]


def choose(
    spec: MitigationSpec,
    panel: Panel,
    *,
    answered: Callable[[MitigationSpec], Predictions],
    split: str,
) -> DevChoice:
    """Try every setting of the options that are `auto` on dev, and choose one.

    Args:
        spec: A mitigation with options that are to be chosen.
        panel: What OLD and NEW answer on dev.
        answered: Returns what NEW answers there under a setting.
        split: What dev is called.

    """
    tried, shown = [], []
    for at, one in enumerate(spec.candidates()):
        values = {name: one.options[name] for name in spec.to_choose}
        role = f"{NEW}+{at}"
        under = panel.with_role(role, answered(one))
        from_old = Update(panel=under, new_role=role)
        from_new = Update(panel=under, old_role=NEW, new_role=role)
        tried.append(_tried(values, from_old, from_new))
        lows = {k: defined(low) for k, low in tried[-1].accuracy_low.items()}
        shown.append(
            {"values": values, "levels": _point(from_old), "accuracy_low": lows}
        )
    best = chosen(tried, delta=spec.delta)
    facts = {
        "values": dict(best.setting),
        "split": split,
        "n_examples": len(panel.examples),
        "delta": spec.delta,
        "harmless": best.worst_low >= -spec.delta,
        "keep_old": _point(Update(panel=panel, new_role=OLD)),
        "untreated": _point(Update(panel=panel)),
        "tried": shown,
    }
    return DevChoice(spec.with_settings(best.setting), facts)


def _tried(setting: Mapping[str, Any], from_old: Update, from_new: Update) -> Tried:
    """Return what a setting breaks of OLD, and what it may lose against NEW."""
    change = FLIP_STATISTICS["accuracy_change"]
    return Tried(
        setting=setting,
        nfi={
            level: float(nfi(from_old.table(level).totals)) for level in from_old.levels
        },
        accuracy_low={
            level: evidence(from_new.table(level), change).estimate().low
            for level in from_new.levels
        },
    )


def _point(update: Update) -> dict[str, dict[str, float | None]]:
    found = {}
    for level in update.levels:
        row = update.table(level).totals
        found[level] = {
            "accuracy": defined(float(accuracy_new(row))),
            "nfr": defined(float(nfr(row))),
            "nfi": defined(float(nfi(row))),
            "pfr": defined(float(pfr(row))),
        }
    return found
