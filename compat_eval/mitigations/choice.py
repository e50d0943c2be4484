"""Which setting of a mitigation to use: chosen on dev, by a rule stated beforehand.

Of all settings that lose at most δ of NEW's accuracy at every level, the one
that cuts NFI most. So a mitigation that only drags NEW back to OLD is not
chosen for breaking little.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compat_eval.core.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What one setting did on dev, paired with untreated NEW on the same examples.

    Attributes:
        setting: Such as λ, or the rate of dropout.
        nfi: Negative flip impact by level, in [0, 1]; nan where undefined.
        accuracy_change: Accuracy less that of untreated NEW, by level.

    """

    setting: float
    nfi: Mapping[str, float]
    accuracy_change: Mapping[str, float]

    @property
    def mean_nfi(self) -> float:
        """Mean over the levels; nan where one is undefined."""
        return float(np.mean(list(self.nfi.values())))

    @property
    def worst_change(self) -> float:
        """The change of accuracy at the level that loses most (or gains least)."""
        return min(self.accuracy_change.values())


def chosen(tried: Sequence[Tried], *, delta: float = 0.0) -> Tried:
    """Return the setting with the lowest mean NFI among those that lose at most δ.

    Where all lose more, it is the one that loses least. Of equals the first.

    Args:
        tried: Settings, the mildest first.
        delta: The greatest loss of accuracy at any level, a fraction, at least 0.

    Raises:
        UsageError: Nothing was tried, or δ is negative.

    Examples:
        >>> mild = Tried(setting=0.3, nfi={"las": 0.2}, accuracy_change={"las": 0.0})
        >>> strong = Tried(setting=0.9, nfi={"las": 0.1}, accuracy_change={"las": -0.2})
        >>> chosen([mild, strong]).setting, chosen([mild, strong], delta=0.3).setting
        (0.3, 0.9)

    """
    if not tried:
        raise UsageError("no setting was tried, so none can be chosen")
    if delta < 0:
        raise UsageError(f"delta must be at least 0, got {delta}")
    harmless = [one for one in tried if one.worst_change >= -delta]
    if not harmless:
        return max(tried, key=lambda one: one.worst_change)
    return min(harmless, key=lambda one: np.nan_to_num(one.mean_nfi, nan=np.inf))
