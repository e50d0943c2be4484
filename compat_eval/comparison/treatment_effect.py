"""Does a treatment repair what the update broke, or only bring OLD back?

Answering a share s of the examples as OLD did, at random, takes away the share s of
what NEW broke and the share s of what it fixed. A treatment is worth more than that
only where it takes away a larger share of the broken than of the fixed.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from compat_eval.comparison.levels import LevelCells
from compat_eval.comparison.update import Update
from compat_eval.core.arrays import Ints, Rows, Values
from compat_eval.core.estimate import Estimate
from compat_eval.core.rows import CodedRows
from compat_eval.statistics.enrichment import hypergeometric_p
from compat_eval.statistics.families.flips import BROKEN, FIXED, QUANTITIES, nfi, ratio
from compat_eval.statistics.flips import FlipTable, evidence
from compat_eval.statistics.metric import PairedMetric

_MOST = 0.5

Both = Callable[[Rows, Rows], Values]
"""A number of the summed cells of NEW and of treated NEW, each against OLD."""


def broken_cut(new: Rows, treated: Rows) -> Values:
    """Share of what NEW breaks that the treatment takes away, in net."""
    return ratio(new[..., BROKEN] - treated[..., BROKEN], new[..., BROKEN])


def fixed_cut(new: Rows, treated: Rows) -> Values:
    """Share of what NEW fixes that the treatment takes away, in net."""
    return ratio(new[..., FIXED] - treated[..., FIXED], new[..., FIXED])


def advantage(new: Rows, treated: Rows) -> Values:
    """Return `broken_cut` less `fixed_cut`: 0 for a return to OLD at random.

    Examples:
        >>> new, treated = np.array([80.0, 10, 8, 2]), np.array([88.0, 2, 6, 4])
        >>> round(float(advantage(new, treated)), 3)
        0.55

    """
    return broken_cut(new, treated) - fixed_cut(new, treated)


def gain_kept(new: Rows, treated: Rows) -> Values:
    """Share of NEW's gain in accuracy that is left; nan where NEW gains nothing."""
    gain = new[..., FIXED] - new[..., BROKEN]
    left = treated[..., FIXED] - treated[..., BROKEN]
    return ratio(left, np.where(gain > 0, gain, 0.0))


def nfi_change(new: Rows, treated: Rows) -> Values:
    """NFI of treated NEW less that of NEW."""
    return nfi(treated) - nfi(new)


RESAMPLED: Mapping[str, Both] = MappingProxyType(
    {
        "nfi_change": nfi_change,
        "broken_cut": broken_cut,
        "fixed_cut": fixed_cut,
        "advantage": advantage,
        "gain_kept": gain_kept,
    }
)


def effects(
    untreated: Update, treated: Update, *, confidence: float
) -> dict[str, dict[str, Estimate]]:
    """Return what a treatment changes, by level and quantity.

    `accuracy_change` is treated NEW's accuracy less NEW's, with the interval of a
    paired change; the others are those of `RESAMPLED`, by bootstrap of examples or
    clusters.
    """
    direct = Update(
        panel=treated.panel, old_role=untreated.new_role, new_role=treated.new_role
    )
    return {
        level: {
            "accuracy_change": evidence(
                direct.table(level), QUANTITIES["accuracy_change"]
            ).estimate(confidence),
            **_resampled(untreated, treated, level, confidence),
        }
        for level in untreated.levels
    }


def effect(found: Mapping[str, Estimate], new: FlipTable, treated: FlipTable) -> str:
    """Say in one word what a treatment does.

    `no_cut`: it breaks no less. `drags_back`: of what NEW fixed it takes away as
    large a share as of what NEW broke, or a larger one. `unclear`: a smaller one,
    which may be chance. `selective`: a smaller one, and the interval shows it.
    `mostly_old`: likewise, but more than half of what NEW fixed is gone.
    """
    more = found["advantage"]
    if treated.counts[BROKEN] >= new.counts[BROKEN]:
        return "no_cut"
    if np.isnan(more.value):
        return "unclear"
    if more.value <= 0:
        return "drags_back"
    if not _shown(more, new, treated):
        return "unclear"
    return "mostly_old" if found["fixed_cut"].value > _MOST else "selective"


def _shown(more: Estimate, new: FlipTable, treated: FlipTable) -> bool:
    """Whether the advantage is more than chance."""
    if np.isnan(more.low) and not new.clustered:
        return _fisher(new, treated) <= (1 - more.confidence) / 2
    return bool(more.low > 0)


def _fisher(new: FlipTable, treated: FlipTable) -> float:
    """Return how likely chance takes away so many of the broken, and so few fixed.

    For where all or none are gone, so that resamples do not differ.
    """
    gone = np.maximum(new.counts - treated.counts, 0)
    p = hypergeometric_p(
        gone[[BROKEN]].astype(np.int64),
        new.counts[[BROKEN]].astype(np.int64),
        int(gone[BROKEN] + gone[FIXED]),
        int(new.counts[BROKEN] + new.counts[FIXED]),
    )
    return float(p[0])


def _resampled(
    untreated: Update, treated: Update, level: str, confidence: float
) -> dict[str, Estimate]:
    both = PairedMetric(
        value=nfi,
        old=_rows(untreated.cells[level]),
        new=_rows(treated.cells[level]),
        clusters=untreated.clusters,
        weights=untreated.weights,
        seed=untreated.panel.seed,
        key=(untreated.panel.name, level, "treated"),
    )
    return {
        name: both.of_both(value).estimate(confidence)
        for name, value in RESAMPLED.items()
    }


def _rows(cells: LevelCells) -> CodedRows:
    """Return the four counts of each example."""
    if cells.one_unit_an_example:
        return CodedRows(np.asarray(cells.codes, np.int64), np.eye(4))
    n_examples = len(cells.offsets) - 1
    example = np.repeat(np.arange(n_examples), np.diff(cells.offsets))
    flat = np.bincount(example * 4 + cells.codes, minlength=4 * n_examples)
    rows = flat.reshape(n_examples, 4).astype(np.float64)
    distinct, codes = np.unique(rows, axis=0, return_inverse=True)
    numbers: Ints = np.asarray(codes, np.int64).reshape(-1)
    return CodedRows(numbers, distinct)
