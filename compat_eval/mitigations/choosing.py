"""Which setting of a mitigation to use: chosen on dev, by a rule stated beforehand.

Of all settings shown to lose at most δ of NEW's accuracy at every level, the one
that cuts NFI most. Shown is what the paired interval says, not the number alone: one
that drags NEW back to OLD has a wide interval, and is not chosen by luck.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from compat_eval.comparison.panel import NEW, Panel
from compat_eval.comparison.update import Update
from compat_eval.core.errors import UsageError
from compat_eval.core.estimate import defined
from compat_eval.core.predictions import Predictions
from compat_eval.core.protocols import ModelSource
from compat_eval.mitigations.combined import CombinedSource
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
        setting: Such as λ, or the rate of dropout.
        nfi: Negative flip impact by level, in [0, 1]; nan where undefined.
        accuracy_low: Lower end of the paired 95 % interval of accuracy less that of
            untreated NEW, by level.

    """

    setting: float
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
        >>> mild = Tried(setting=0.3, nfi={"las": 0.2}, accuracy_low={"las": 0.0})
        >>> strong = Tried(setting=0.9, nfi={"las": 0.1}, accuracy_low={"las": -0.2})
        >>> chosen([mild, strong]).setting, chosen([mild, strong], delta=0.3).setting
        (0.3, 0.9)

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
        facts: JSON-ready: the `option` and its `value`; the `split` and its
            `n_examples`; `delta`, and whether the setting is shown to lose no more
            (`harmless`), else it is the one that may lose least; by level `accuracy`,
            `nfr`, `nfi` and `pfr` of NEW itself (`untreated`) and of each setting
            (`tried`), with what it may lose.

    """

    spec: MitigationSpec
    facts: Mapping[str, Any]


def choose(
    source: CombinedSource,
    panel: Panel,
    *,
    answered: Callable[[ModelSource], Predictions],
    split: str,
) -> DevChoice:
    """Try every setting of an option on dev, and choose one.

    Args:
        source: A combination with an option that is to be chosen.
        panel: What OLD and NEW answer on dev.
        answered: Returns a model's answers there.
        split: What dev is called.

    """
    spec, name = source.spec, source.spec.to_choose
    assert name is not None
    tried, shown = [], []
    for one in spec.candidates():
        value = one.options[name]
        reference = f"{source.reference} {name}={value}"
        answers = answered(replace(source, spec=one, reference=reference))
        under = panel.with_role(reference, answers)
        from_old = Update(panel=under, new_role=reference)
        from_new = Update(panel=under, old_role=NEW, new_role=reference)
        tried.append(_tried(value, from_old, from_new))
        lows = {k: defined(low) for k, low in tried[-1].accuracy_low.items()}
        shown.append({"value": value, "levels": _point(from_old), "accuracy_low": lows})
    best = chosen(tried, delta=spec.delta)
    facts = {
        "option": name,
        "value": best.setting,
        "split": split,
        "n_examples": len(panel.examples),
        "delta": spec.delta,
        "harmless": best.worst_low >= -spec.delta,
        "untreated": _point(Update(panel=panel)),
        "tried": shown,
    }
    return DevChoice(spec.with_setting(best.setting), facts)


def _tried(value: float, from_old: Update, from_new: Update) -> Tried:
    """Return what a setting breaks of OLD, and what it may lose against NEW."""
    change = FLIP_STATISTICS["accuracy_change"]
    return Tried(
        setting=value,
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
