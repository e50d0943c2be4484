"""What a mitigation changes: the flips of NEW beside those of NEW under it.

Both against OLD. A row holds the four cells of NEW and then those of mitigated NEW.

Answering a share s of the examples as OLD did, at random, takes away the share s of
what NEW broke and the share s of what it fixed. A mitigation is worth more than that
only where it takes away a larger share of the broken than of the fixed.
"""

from functools import partial

import numpy as np

from compat_eval.core.arrays import Rows, Values
from compat_eval.core.grades import BROKEN, FIXED
from compat_eval.core.statistic import Resampled, Statistic
from compat_eval.statistics.families.flips import nfi, ratio

_N_CELLS = 4


def broken_cut(rows: Rows) -> Values:
    """Share of what NEW breaks that the mitigation takes away, in net."""
    new, mitigated = _both(rows)
    return ratio(new[..., BROKEN] - mitigated[..., BROKEN], new[..., BROKEN])


def fixed_cut(rows: Rows) -> Values:
    """Share of what NEW fixes that the mitigation takes away, in net."""
    new, mitigated = _both(rows)
    return ratio(new[..., FIXED] - mitigated[..., FIXED], new[..., FIXED])


def advantage(rows: Rows) -> Values:
    """Return `broken_cut` less `fixed_cut`: 0 for a return to OLD at random.

    Examples:
        >>> round(float(advantage(np.array([80.0, 10, 8, 2, 88.0, 2, 6, 4]))), 3)
        0.55

    """
    return broken_cut(rows) - fixed_cut(rows)


def gain_kept(rows: Rows) -> Values:
    """Share of NEW's gain in accuracy that is left; nan where NEW gains nothing."""
    new, mitigated = _both(rows)
    gain = new[..., FIXED] - new[..., BROKEN]
    left = mitigated[..., FIXED] - mitigated[..., BROKEN]
    return ratio(left, np.where(gain > 0, gain, 0.0))


def nfi_change(rows: Rows) -> Values:
    """NFI of mitigated NEW less that of NEW."""
    new, mitigated = _both(rows)
    return nfi(mitigated) - nfi(new)


def _both(rows: Rows) -> tuple[Rows, Rows]:
    return rows[..., :_N_CELLS], rows[..., _N_CELLS:]


_effect = partial(
    Statistic,
    of="update",
    unit="fraction",
    better="higher",
    interval=Resampled(within_ends=True),
)

EFFECTS: tuple[Statistic, ...] = (
    Statistic(
        name="nfi_change",
        value=nfi_change,
        of="update",
        unit="points",
        better="lower",
        interval=Resampled(within_ends=True),
        description="Negative flip impact with the mitigation less that without.",
    ),
    _effect(
        name="broken_cut",
        value=broken_cut,
        description="Share of what breaks that the mitigation takes away, in net.",
    ),
    _effect(
        name="fixed_cut",
        value=fixed_cut,
        better="lower",
        description="Share of what is fixed that the mitigation takes away, in net.",
    ),
    _effect(
        name="advantage",
        value=advantage,
        description="Share of the broken less share of the fixed that it takes away.",
    ),
    _effect(
        name="gain_kept",
        value=gain_kept,
        description="Share of the gain in accuracy that the mitigation leaves.",
    ),
)
