"""What a sample says about a statistic, and how far chance could move it."""

import math
from dataclasses import replace

import numpy as np

from compat_eval.core.arrays import Rows, Values
from compat_eval.core.grades import BROKEN, FIXED
from compat_eval.core.rows import product
from compat_eval.core.statistic import (
    AbsoluteSum,
    Columns,
    NoInterval,
    PairedChange,
    QuantileOfClusters,
    RelativeRate,
    Resampled,
    Share,
    ShareOfClusters,
    Statistic,
)
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.intervals.absolute import AbsoluteSumEvidence
from compat_eval.statistics.intervals.change import ChangeEvidence, mcnemar
from compat_eval.statistics.intervals.clusters import (
    FEW_CLUSTERS,
    FEWEST_CLUSTERS,
    Effective,
    Sums,
    effective,
    remark,
)
from compat_eval.statistics.intervals.evidence import (
    BesideSteady,
    Divided,
    Evidence,
    Guarded,
    StudentLevel,
    Unbounded,
    Undefined,
    Wider,
)
from compat_eval.statistics.intervals.linear import (
    Linearised,
    Tails,
    acceleration,
    gradient,
    moving_alike,
    standard_error,
)
from compat_eval.statistics.intervals.relative import RelativeRateEvidence
from compat_eval.statistics.intervals.share import ShareEvidence
from compat_eval.statistics.paired_rows import PairedRows
from compat_eval.statistics.resampling import (
    MOST_COLUMNS,
    MOST_DISTINCT,
    Bootstrapped,
    studentised,
)
from compat_eval.statistics.unlucky import BoundedMean, Repeatable

_NO_UNITS = "no units were compared"


def evidence(sample: FlipTable | PairedRows, statistic: Statistic) -> Evidence:
    """Return what a sample says about a statistic of an update."""
    interval = statistic.interval
    if isinstance(interval, NoInterval):
        return Undefined(reason=interval.reason)
    if isinstance(sample, PairedRows):
        return _of_rows(statistic, sample)
    if math.isnan(float(statistic.value(sample.totals))):
        return Undefined(reason=_why_undefined(statistic, sample))
    if isinstance(interval, Share):
        return _share(statistic, sample, interval)
    if isinstance(interval, PairedChange):
        return _change(statistic, sample, interval)
    assert isinstance(interval, RelativeRate), "rows of both sides are needed"
    return _relative_rate(statistic, sample, interval)


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
    change = _plain_change(table)
    return min(1.0, 2 * min(change.p_at_most(0.0), change.p_above(0.0)))


def _why_undefined(statistic: Statistic, table: FlipTable) -> str:
    interval = statistic.interval
    if table.n_units == 0 and isinstance(interval, PairedChange):
        return _NO_UNITS
    part = interval.part if isinstance(interval, Share) else ()
    if table.n_units and math.isnan(_summed(table.counts, part)):
        return "changes are known of whole answers, not of their parts"
    return statistic.undefined_when


def _share(statistic: Statistic, table: FlipTable, share: Share) -> Evidence:
    part, whole = _summed(table.counts, share.part), _summed(table.counts, share.whole)
    found = ShareEvidence(
        part=part,
        whole=whole,
        n=int(whole),
        examples=table.n_examples,
        undefined_when=statistic.undefined_when,
        most=whole * _reachable(table, share),
    )
    if not table.clustered:
        return found
    worth = _worth(table, share)
    found = replace(
        found,
        part=float(statistic.value(table.totals)) * worth.n,
        whole=worth.n,
        n=worth.clusters,
        most=worth.n * _reachable(table, share),
        method="wilson-effective-n",
        note=_remark(table, worth),
    )
    return _few_clusters(worth, found.value) or Repeatable(
        inner=_guarded_share(found, worth),
        table=table,
        number=BoundedMean(of=statistic.value, lowest=0.0),
        again=lambda other: _share(statistic, other, share),
    )


def _guarded_share(found: ShareEvidence, worth: Effective) -> Evidence:
    """Return a share that is never surer than one flip, or all but one, would be."""
    one, n = worth.alike / worth.units, worth.alike
    single = replace(found, part=one, whole=n)
    all_but_one = replace(found, part=n - one, whole=n)
    return Guarded(
        inner=_at_student_level(found, worth),
        above=single if found.part > 0 else None,
        below=all_but_one if found.part < found.whole else None,
    )


def _change(statistic: Statistic, table: FlipTable, interval: PairedChange) -> Evidence:
    plain = _plain_change(table)
    if interval.over is None:
        return plain
    over = _summed(table.totals, interval.over.part)
    share = over / _summed(table.totals, interval.over.whole)
    closed = Divided(inner=plain, by=share, name=interval.over_name)
    reach = (-1.0, 1 / share - 1)
    return _with_resampling(statistic, table, closed, reach)


def _plain_change(table: FlipTable) -> Evidence:
    a, b, c, d = (float(count) for count in table.counts[:4])
    found = ChangeEvidence(
        kept=a,
        broken=b,
        fixed=c,
        missed=d,
        n=table.n_units,
        examples=table.n_examples,
        undefined_when=_NO_UNITS,
    )
    return _clustered_change(found, table) if table.clustered else found


def _clustered_change(found: ChangeEvidence, table: FlipTable) -> Evidence:
    """Return the evidence of a change with what clusters are worth."""
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
    found = replace(
        found,
        kept=a,
        broken=b,
        fixed=c,
        missed=d,
        n=worth.clusters,
        method="newcombe-effective-n",
        note=_remark(table, worth),
    )
    value = float(_mean_change(table.totals))
    return _few_clusters(worth, value) or Repeatable(
        inner=_guarded_change(found, worth),
        table=table,
        number=BoundedMean(of=_mean_change, lowest=-1.0),
        again=_plain_change,
    )


def _mean_change(rows: Rows) -> Values:
    """Return new's accuracy minus old's of summed counts."""
    return np.asarray((rows[..., FIXED] - rows[..., BROKEN]) / rows[..., :4].sum(-1))


def _guarded_change(found: ChangeEvidence, worth: Effective) -> Evidence:
    """Return a change that is never surer than one flip would be."""
    b, c = found.broken, found.fixed

    def single(*, broken: bool) -> ChangeEvidence:
        one, n = worth.alike / worth.units, worth.alike
        kept = (n - one) * (found.kept + b) / found.units
        return replace(
            found,
            kept=kept,
            missed=n - one - kept,
            broken=one if broken else 0.0,
            fixed=0.0 if broken else one,
        )

    flips = b + c > 0
    return Guarded(
        inner=_at_student_level(found, worth),
        above=single(broken=False) if flips and c >= b else None,
        below=single(broken=True) if flips and b >= c else None,
    )


def _relative_rate(
    statistic: Statistic, table: FlipTable, rate: RelativeRate
) -> Evidence:
    value = float(statistic.value(table.totals))
    shares = (rate.broken, rate.missed, rate.old_right)
    worths = [_worth(table, share) for share in shares] if table.clustered else []
    broken, missed, old_right = (
        _counted(table, share, worths[at] if worths else None)
        for at, share in enumerate(shares)
    )
    melded = RelativeRateEvidence(
        broken=broken,
        missed=missed,
        old_right=old_right,
        value=value,
        n=table.n_clusters,
        examples=table.n_examples,
        undefined_when=statistic.undefined_when,
        note=_remark(table, worths[-1]) if worths else None,
    )
    if not worths:
        return melded
    there = [worth for worth in worths if worth.units > 0]
    unbounded = _few_clusters(min(there, key=lambda worth: worth.clusters), value)
    if unbounded is not None:
        return unbounded
    closed = _at_student_level(melded, *there)
    return _with_resampling(
        statistic, table, closed, (0.0, old_right[1] / old_right[0])
    )


def _counted(
    table: FlipTable, share: Share, worth: Effective | None
) -> tuple[float, float]:
    """Return successes and n of a share, or what they are worth in clusters."""
    part, whole = _summed(table.counts, share.part), _summed(table.counts, share.whole)
    if worth is None or whole == 0:
        return part, whole
    weighted = _summed(table.totals, share.part) / _summed(table.totals, share.whole)
    return weighted * worth.n, worth.n


def _few_clusters(worth: Effective, value: float) -> Evidence | None:
    """Return evidence without bounds where there are too few clusters for any."""
    if worth.clusters >= FEWEST_CLUSTERS:
        return None
    named = "1 cluster is" if worth.clusters == 1 else f"{worth.clusters} clusters are"
    reason = f"no interval: {named} too few for one; it takes {FEWEST_CLUSTERS}"
    return Unbounded(known=value, reason=reason, n=worth.clusters)


def _at_student_level(found: Evidence, *worths: Effective) -> Evidence:
    """Return evidence that knows how uncertain its effective sizes are."""
    freedom = min(worth.freedom for worth in worths)
    return found if math.isinf(freedom) else StudentLevel(inner=found, freedom=freedom)


def _with_resampling(
    statistic: Statistic,
    table: FlipTable,
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
            value=float(statistic.value(table.totals)),
            values=statistic.value(table.drawn),
            n=table.n_clusters,
            examples=table.n_examples,
            undefined_when=statistic.undefined_when,
            method="cluster-bootstrap" if table.clustered else "bootstrap",
            reach=reach,
        )
    else:
        slopes = gradient(statistic.value, table.totals)
        influence = product(np.nan_to_num(rows), slopes)
        other = Linearised(
            value=float(statistic.value(table.totals)),
            error=standard_error(influence, times.astype(np.float64)),
            n=table.n_clusters,
            examples=table.n_examples,
            undefined_when=statistic.undefined_when,
            reach=reach,
        )
    if other.collapsed:
        return BesideSteady(inner=closed, steady=other)
    return Wider(first=closed, second=other)


def _reachable(table: FlipTable, share: Share) -> float:
    """Return how large the share could be, given what old answered."""
    if not share.most:
        return 1.0
    return _summed(table.totals, share.most) / _summed(table.totals, share.whole)


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


def _summed(counts: Values, columns: Columns) -> float:
    return float(counts[list(columns)].sum())


def _of_rows(statistic: Statistic, sample: PairedRows) -> Evidence:
    if isinstance(statistic.interval, AbsoluteSum):
        return _absolute_sum(statistic, sample, statistic.interval)
    if isinstance(statistic.interval, QuantileOfClusters | ShareOfClusters):
        return _of_clusters(statistic, sample, statistic.interval)
    assert isinstance(statistic.interval, Resampled), "counted cells are needed"
    return _resampled(statistic, sample, plain=statistic.interval.within_ends)


def _resampled(statistic: Statistic, sample: PairedRows, *, plain: bool) -> Evidence:
    if sample.n_examples == 0:
        return Undefined(reason="no examples were compared")
    number = float(statistic.value(sample.totals))
    if math.isnan(number):
        return Undefined(reason=statistic.undefined_when)
    if sample.is_sparse:
        return _without_interval(number, sample)
    slopes = gradient(statistic.value, sample.totals)
    if sample.grouped is None:
        influence, times = sample.influence(slopes)
    else:
        rows, often = sample.grouped
        influence, times = product(rows, slopes), often.astype(np.float64)
    tails = None if plain or statistic.has_ends else Tails.of(influence, times)
    closed = Linearised(
        value=number,
        error=standard_error(influence, times),
        n=sample.n_clusters,
        examples=sample.n_examples,
        undefined_when=statistic.undefined_when,
        method=_method(sample, "linearised"),
        note=_note(sample, math.inf if tails is None else 2 * tails.alike),
        tails=tails,
    )
    if sample.grouped is None:
        return closed
    found = _bootstrapped(statistic, sample, number, slopes, plain=plain)
    if tails is None or closed.collapsed:
        return found
    return Wider(first=found, second=replace(closed, note=None))


def _bootstrapped(
    statistic: Statistic,
    sample: PairedRows,
    number: float,
    slopes: Values,
    *,
    plain: bool,
) -> Bootstrapped:
    assert sample.grouped is not None
    rows, times = sample.grouped
    narrow = rows.shape[1] <= MOST_COLUMNS and not plain
    influence, counted = product(rows, slopes), times.astype(np.float64)
    alike = moving_alike(influence, counted)
    return Bootstrapped(
        value=number,
        values=(
            studentised(statistic.value, times, rows, sample.generator())
            if narrow
            else statistic.value(sample.drawn)
        ),
        n=sample.n_clusters,
        examples=sample.n_examples,
        undefined_when=statistic.undefined_when,
        method=_method(sample, "bootstrap-t" if narrow else "bootstrap"),
        note=_note(sample, 2 * alike),  # as many as bounds take it for
        acceleration=0.0 if narrow else acceleration(influence, counted),
        studentised=narrow,
        # A share's plain replicates stay within its ends as they are.
        alike=math.inf if plain else alike,
    )


def _absolute_sum(
    statistic: Statistic, sample: PairedRows, interval: AbsoluteSum
) -> Evidence:
    width, signs = sample.width, (interval.old, interval.new)
    halves = (sample.totals[:width], sample.totals[width:])
    found = np.concatenate([interval.terms(half) for half in halves])
    if np.isnan(found).any():
        return Undefined(reason=statistic.undefined_when)
    return AbsoluteSumEvidence(
        terms=found,
        covariance=sample.covariance(interval.terms),
        factors=np.repeat(np.asarray(signs, np.float64), len(found) // 2),
        n=sample.n_clusters,
        examples=sample.n_examples,
        reach=(float(min(*signs, 0)), float(max(*signs, 0))),
        note=_note(sample),
    )


def _of_clusters(
    statistic: Statistic,
    sample: PairedRows,
    interval: QuantileOfClusters | ShareOfClusters,
) -> Evidence:
    """Return what the clusters' own values say; those without one are left out."""
    if sample.clusters is None:
        return Undefined(
            reason="no clusters are told apart: `cluster` among the fields names the "
            "column that does"
        )
    each = np.sort(statistic.value(sample.by_cluster))
    known = each[~np.isnan(each)]
    if not len(known):
        return Undefined(reason=statistic.undefined_when)
    lost = len(each) - len(known)
    note = f"{lost} of {len(each)} clusters have no value" if lost else None
    if isinstance(interval, QuantileOfClusters):
        from compat_eval.statistics.intervals.quantile import (  # noqa: PLC0415
            QuantileEvidence,
        )

        return QuantileEvidence(
            values=known,
            quantile=interval.quantile,
            examples=sample.n_examples,
            reach=statistic.ends,
            note=note,
        )
    return ShareEvidence(
        part=float((known > interval.above).sum()),
        whole=float(len(known)),
        n=len(known),
        examples=sample.n_examples,
        undefined_when=statistic.undefined_when,
        note=note,
    )


def _without_interval(number: float, sample: PairedRows) -> Evidence:
    """Return a number whose columns are too many to resample."""
    return Linearised(
        value=number,
        error=math.nan,
        n=sample.n_clusters,
        examples=sample.n_examples,
        undefined_when=(
            f"no interval: it rests on {sample.width:,} sums, too many to resample"
        ),
        method="none",
    )


def _method(sample: PairedRows, name: str) -> str:
    return name if sample.clusters is None else f"cluster-{name}"


def _note(sample: PairedRows, alike: float = math.inf) -> str | None:
    n = sample.n_clusters
    if n >= FEW_CLUSTERS and sample.clusters is None:
        return None
    what = "examples" if sample.clusters is None else "clusters"
    if n >= FEW_CLUSTERS and alike < FEW_CLUSTERS:
        return (
            f"{n:,} {what}: a few carry most of it, as if there were {alike:.0f}, "
            "so the interval is rough"
        )
    if n >= FEW_CLUSTERS:
        return f"{n:,} {what}"
    return f"{n:,} {what}: fewer than {FEW_CLUSTERS}, so the interval is rough"
