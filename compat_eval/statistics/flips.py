"""What counts of flips say, and how far chance could move it."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from compat_eval.core.arrays import Rows, Values
from compat_eval.core.quantity import (
    ALL_CELLS,
    BROKEN,
    CHANGED,
    FIXED,
    KEPT,
    MISSED,
    Columns,
    Quantity,
    Share,
)
from compat_eval.core.sums import product
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.intervals.change import ChangeEvidence
from compat_eval.statistics.intervals.clusters import (
    FEWEST_CLUSTERS,
    Effective,
    Sums,
    effective,
    remark,
)
from compat_eval.statistics.intervals.evidence import (
    Divided,
    Evidence,
    Guarded,
    StudentLevel,
    Unbounded,
    Undefined,
    Wider,
)
from compat_eval.statistics.intervals.linear import gradient, standard_error
from compat_eval.statistics.intervals.linearised import Linearised
from compat_eval.statistics.intervals.paired import mcnemar
from compat_eval.statistics.intervals.relative import RelativeRateEvidence
from compat_eval.statistics.intervals.share import ShareEvidence
from compat_eval.statistics.resampling import MOST_DISTINCT, Bootstrapped

__all__ = ["FlipTable", "evidence", "mcnemar_p"]

_NO_UNITS = "no units were compared"
_OLD_RIGHT = Share(part=(KEPT, BROKEN), whole=ALL_CELLS)
_BROKEN_OF_RIGHT = Share(part=(BROKEN,), whole=(KEPT, BROKEN))
_MISSED_OF_WRONG = Share(part=(MISSED,), whole=(FIXED, MISSED))


def evidence(table: FlipTable, quantity: Quantity) -> Evidence:
    """Return what a table says about one of its quantities."""
    value = float(quantity.value(table.totals))
    if math.isnan(value):
        return _undefined(table, quantity)
    if quantity.share is not None:
        return _share(table, quantity, quantity.share)
    if quantity.name == "accuracy_change":
        return _change(table)
    if quantity.name == "relative_nfr":
        return _relative(table, quantity, value)
    raise ValueError(f"no interval is known for quantity {quantity.name!r}")


def relative_change(table: FlipTable) -> Evidence:
    """Return the change in accuracy as a fraction of old's accuracy."""
    if table.n_units == 0:
        return Undefined(reason=_NO_UNITS)
    old_right = _summed(table.totals, (KEPT, BROKEN))
    if old_right == 0:
        return Undefined(reason="old is never right")
    accuracy = old_right / _summed(table.totals, ALL_CELLS)
    closed = Divided(inner=_change(table), by=accuracy, name="old accuracy")
    reach = (-1.0, 1 / accuracy - 1)
    return _with_resampling(
        table, relative_change_of, "old is never right", closed, reach
    )


def relative_change_of(totals: Rows) -> Values:
    """Return the change in accuracy as a fraction of old's, shape (..., 5) to (...)."""
    gained = totals[..., FIXED] - totals[..., BROKEN]
    old_right = totals[..., KEPT] + totals[..., BROKEN]
    out = np.full(old_right.shape, np.nan)
    np.divide(gained, old_right, out=out, where=old_right != 0)
    return out


def mcnemar_p(table: FlipTable) -> float:
    """Return the p-value of "as many units break as are fixed", two-sided.

    Independent units get the mid-p McNemar test. Where units share clusters or have
    weights that test would be wrong: the p-value is then that of the bounds of the
    change in accuracy, which know of the clusters.
    """
    if not table.clustered:
        return mcnemar(int(table.counts[BROKEN]), int(table.counts[FIXED]))
    if table.n_units == 0:
        return 1.0
    change = _change(table)
    return min(1.0, 2 * min(change.p_at_most(0.0), change.p_above(0.0)))


def _share(table: FlipTable, quantity: Quantity, share: Share) -> Evidence:
    part, whole = _summed(table.counts, share.part), _summed(table.counts, share.whole)
    reachable = _reachable(table, share)
    if not table.clustered:
        return ShareEvidence(
            part=part,
            whole=whole,
            n=int(whole),
            examples=table.n_examples,
            undefined_when=quantity.undefined_when,
            most=whole * reachable,
        )
    worth = _worth(table, share)
    found = ShareEvidence(
        part=float(quantity.value(table.totals)) * worth.n,
        whole=worth.n,
        n=worth.clusters,
        examples=table.n_examples,
        undefined_when=quantity.undefined_when,
        most=worth.n * reachable,
        method="wilson-effective-n",
        note=_remark(table, worth),
    )

    def single(times: float) -> ShareEvidence:
        one = worth.alike / worth.units
        return replace(found, part=one, whole=times * worth.alike)

    def all_but_one(times: float) -> ShareEvidence:
        few = single(times)
        return replace(few, part=few.whole - few.part)

    return _few_clusters(worth, found.value) or Guarded(
        inner=_at_student_level(found, worth),
        examples=table.n_examples,
        above=single if found.part > 0 else None,
        below=all_but_one if found.part < found.whole else None,
    )


def _few_clusters(worth: Effective, value: float) -> Evidence | None:
    """Return evidence without bounds where there are too few clusters for any."""
    if worth.clusters >= FEWEST_CLUSTERS:
        return None
    named = "1 cluster is" if worth.clusters == 1 else f"{worth.clusters} clusters are"
    reason = f"no interval: {named} too few for one; it takes {FEWEST_CLUSTERS}"
    return Unbounded(known=value, reason=reason, n=worth.clusters)


def _change(table: FlipTable) -> Evidence:
    if not table.clustered:
        a, b, c, d = (float(count) for count in table.counts[:4])
        return ChangeEvidence(
            kept=a,
            broken=b,
            fixed=c,
            missed=d,
            n=table.n_units,
            examples=table.n_examples,
            undefined_when=_NO_UNITS,
        )
    rows, times = table.grouped
    fixed, broken = rows[:, FIXED], rows[:, BROKEN]
    sums = Sums(
        gain=fixed - broken,
        square=fixed + broken,
        whole=rows[:, :4].sum(axis=1),
        times=times,
    )
    worth = effective(sums, units=table.n_units, weighted=table.weighted)
    a, b, c, d = (float(x) for x in table.totals[:4] / table.totals[:4].sum() * worth.n)
    found = ChangeEvidence(
        kept=a,
        broken=b,
        fixed=c,
        missed=d,
        n=worth.clusters,
        examples=table.n_examples,
        undefined_when=_NO_UNITS,
        method="newcombe-effective-n",
        note=_remark(table, worth),
    )

    def single(times: float, *, broken: bool) -> ChangeEvidence:
        one, n = worth.alike / worth.units, times * worth.alike
        kept = (n - one) * (a + b) / (a + b + c + d)
        return replace(
            found,
            kept=kept,
            missed=n - one - kept,
            broken=one if broken else 0.0,
            fixed=0.0 if broken else one,
        )

    flips = b + c > 0
    return _few_clusters(worth, found.value) or Guarded(
        inner=_at_student_level(found, worth),
        examples=table.n_examples,
        above=partial(single, broken=False) if flips and c >= b else None,
        below=partial(single, broken=True) if flips and b >= c else None,
    )


def _at_student_level(found: Evidence, *worths: Effective) -> Evidence:
    """Return evidence that knows how uncertain its effective sizes are."""
    freedom = min(worth.freedom for worth in worths)
    return found if math.isinf(freedom) else StudentLevel(inner=found, freedom=freedom)


def _relative(table: FlipTable, quantity: Quantity, value: float) -> Evidence:
    parts, worths = [], []
    for share in (_BROKEN_OF_RIGHT, _MISSED_OF_WRONG, _OLD_RIGHT):
        whole = _summed(table.counts, share.whole)
        part = _summed(table.counts, share.part)
        if table.clustered and whole > 0:
            weighted = _summed(table.totals, share.part)
            rate = weighted / _summed(table.totals, share.whole)
            worths.append(_worth(table, share))
            whole = worths[-1].n
            part = rate * whole
        parts.append((part, whole))
    melded = RelativeRateEvidence(
        broken=parts[0],
        missed=parts[1],
        old_right=parts[2],
        value=value,
        n=table.n_clusters,
        examples=table.n_examples,
        undefined_when=quantity.undefined_when,
        note=_remark(table, _worth(table, _OLD_RIGHT)) if table.clustered else None,
    )
    if not table.clustered:
        return melded
    fewest = min(worths, key=lambda worth: worth.clusters)
    unbounded = _few_clusters(fewest, value)
    if unbounded is not None:
        return unbounded
    closed = _at_student_level(melded, *worths)
    reach = (0.0, parts[2][1] / parts[2][0])
    return _with_resampling(
        table, quantity.value, quantity.undefined_when, closed, reach
    )


def _with_resampling(
    table: FlipTable,
    value: Callable[[Rows], Values],
    undefined_when: str,
    closed: Evidence,
    reach: tuple[float, float],
) -> Evidence:
    """Return closed-form evidence, widened by what resampling clusters says.

    Where nothing flips every replicate is the same and bounds nothing.
    """
    rows, times = table.grouped
    other: Bootstrapped | Linearised
    if len(times) <= MOST_DISTINCT:
        other = Bootstrapped(
            value=float(value(table.totals)),
            values=value(table.drawn),
            n=table.n_clusters,
            examples=table.n_examples,
            undefined_when=undefined_when,
            method="cluster-bootstrap" if table.clustered else "bootstrap",
            reach=reach,
        )
    else:
        slopes = gradient(value, table.totals)
        influence = product(np.nan_to_num(rows), slopes)
        other = Linearised(
            value=float(value(table.totals)),
            error=standard_error(influence, times.astype(np.float64)),
            n=table.n_clusters,
            examples=table.n_examples,
            undefined_when=undefined_when,
            reach=reach,
        )
    return Wider(first=closed, second=other, steady=other.collapsed)


def _reachable(table: FlipTable, share: Share) -> float:
    """Return how large the share could be, given what old answered.

    No more can break than old has right, and no more be fixed than it has wrong.
    """
    if share.whole != ALL_CELLS or len(share.part) > 1 or CHANGED in share.part:
        return 1.0
    both = (KEPT, BROKEN) if share.part[0] in (KEPT, BROKEN) else (FIXED, MISSED)
    return _summed(table.totals, both) / _summed(table.totals, ALL_CELLS)


def _worth(table: FlipTable, share: Share) -> Effective:
    rows, times = table.grouped
    sums = Sums.of_share(
        rows[:, list(share.part)].sum(axis=1),
        rows[:, list(share.whole)].sum(axis=1),
        times,
    )
    units = _summed(table.counts, share.whole)
    return effective(sums, units=units, weighted=table.weighted)


def _remark(table: FlipTable, worth: Effective) -> str:
    what = "weighted examples" if table.weighted else "clusters"
    return remark(worth, what=what)


def _undefined(table: FlipTable, quantity: Quantity) -> Undefined:
    needs_predictions = quantity.share is not None and CHANGED in quantity.share.part
    if table.n_units and needs_predictions:
        return Undefined(
            reason="changes are known of whole answers, not of their parts"
        )
    return Undefined(reason=quantity.undefined_when)


def _summed(counts: Values, columns: Columns) -> float:
    return float(counts[list(columns)].sum())
