"""Does a mitigation repair what the update broke, or only bring OLD back?

Answering a share s of the examples as OLD did, at random, takes away the share s of
what NEW broke and the share s of what it fixed. A mitigation is worth more than that
only where it takes away a larger share of the broken than of the fixed.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from compat_eval.comparison.update import LevelCells, Update
from compat_eval.core.arrays import Ints
from compat_eval.core.estimate import Estimate
from compat_eval.core.grades import BROKEN, FIXED
from compat_eval.core.rows import CodedRows
from compat_eval.statistics.enrichment import hypergeometric_p
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.effects import EFFECTS
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.paired_rows import PairedRows

_MOST = 0.5


def changed(untreated: Update, treated: Update, *, confidence: float) -> dict[str, Any]:
    """Return what a mitigation changes of an update, JSON-ready.

    `levels` has the numbers of `EFFECTS`, by bootstrap of examples or clusters;
    `effect` says in one word what they show at the first level.

    Args:
        untreated: From OLD to NEW.
        treated: From OLD to NEW under the mitigation.
        confidence: Of intervals.

    """
    found = {
        level: _resampled(untreated, treated, level, confidence)
        for level in untreated.levels
    }
    first = untreated.levels[0]
    return {
        "effect": effect(found[first], untreated.table(first), treated.table(first)),
        "levels": {
            level: {name: one.to_dict() for name, one in numbers.items()}
            for level, numbers in found.items()
        },
    }


def effect(found: Mapping[str, Estimate], new: FlipTable, treated: FlipTable) -> str:
    """Say in one word what a mitigation does.

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
    both = PairedRows(
        old=_rows(untreated.cells[level]),
        new=_rows(treated.cells[level]),
        clusters=untreated.clusters,
        weights=untreated.weights,
        seed=untreated.panel.seed,
        key=(untreated.panel.name, level, "treated"),
    )
    return {
        statistic.name: evidence(both, statistic).estimate(confidence)
        for statistic in EFFECTS
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
