"""Which setting of a mitigation to use: chosen on dev, by a rule stated beforehand.

Of all settings shown to lose at most δ of NEW's accuracy at every level, the one
that cuts NFI most. Shown is what the paired interval says, not the number alone: one
that drags NEW back to OLD has a wide interval, and is not chosen by luck.
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
