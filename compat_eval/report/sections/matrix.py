"""The upgrade matrix: every encoder's queries on every encoder's index."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.comparison.index_matrix.result import (
    IndexMatrix,
    MatrixPair,
    PairMeasure,
    Verification,
)
from compat_eval.comparison.index_matrix.roles import asked_on
from compat_eval.core.estimate import Estimate
from compat_eval.core.media import is_media
from compat_eval.core.predictions import CORRECT_PREFIX
from compat_eval.core.table import bools
from compat_eval.report import numbers
from compat_eval.report.numbers import Number, number, percent
from compat_eval.report.query_costs import (
    QueryCostRow,
    query_cost_rows,
    small_query_sentences,
)
from compat_eval.report.results import Results
from compat_eval.report.section import ReportedRun, Section
from compat_eval.report.text import shortened
from compat_eval.runs.directory import recorded_task
from compat_eval.statistics.upgrade_matrix import Compatible

_SYMBOLS: Mapping[Compatible, str] = MappingProxyType(
    {Compatible.CERTIFIED: "✓", Compatible.REFUTED: "✗", Compatible.UNDECIDED: "?"}
)
_MOST_FLIPS, _TEXT, _NAME = 20, 160, 60
_LIGHTEST, _DARKEST = 0.04, 0.34
"""Opacity of ink behind the least and the greatest value of a heat map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _HeatCell:
    """One encoder's queries on one encoder's index.

    Attributes:
        row: Place of the queries' version from above.
        column: Place of the index's version from the left.
        value: The mean, in words; why there is none where the cell was left out.
        interval: Its interval in words.
        shade: Opacity of what stands behind the number.
        mark: Whether it is certified to be above OLD's cell, with the word for it.

    """

    row: int
    column: int
    value: str
    interval: str
    shade: str
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _HeatMap:
    """One measure of every cell.

    Attributes:
        title: What people call the measure.
        cells: In reading order.
        text: The same in a sentence.

    """

    title: str
    cells: tuple[_HeatCell, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixPairRow:
    """One measure of one version's queries on an older one's index.

    Attributes:
        pair: The two, as `new on old`, and the part of the queries.
        measure: What people call it.
        symbol: Of the decision.
        decision: In a word.
        gain: In points, with its interval.
        way: What part of the way to the paragon that is.
        keeping: What an index that stays costs, in points.
        retention: The part of a full re-index.
        tax: In points.
        against_paragon: Likewise.
        scores: P_comp and P_up.
        p: Of the randomisation test.

    """

    pair: str
    measure: str
    symbol: str
    decision: str
    gain: Number
    way: str
    keeping: Number
    retention: str
    tax: str
    against_paragon: str
    scores: str
    p: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _RankingFlip:
    """A query that found what it should with OLD, and does not any more.

    Attributes:
        query: Its text, or its name.
        left: Documents that left the first k; what is relevant has a star.
        entered: Documents that came in.

    """

    query: str
    left: str
    entered: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _ThresholdRow:
    """Decisions by a threshold, of one cell at one false rate."""

    role: str
    protocol: str
    rate: str
    threshold: str
    accepted: Number
    at_old: Number
    false_at_old: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixView:
    """All that is said of encoders on indices.

    Attributes:
        costs: What a query costs, where that was measured.
        versions: Names of rows and columns.
        maps: A heat map a measure, the main one first.
        sentences: What matters, in words.
        rows: Every pair and measure.
        bridges: The same of ways to reach OLD's index.
        cmc: By role, the share of queries with a relevant document among the first
            `ks`.
        ks: The columns of `cmc`.
        thresholds: By role.
        flips: Of the judged queries on the index that is asked.
        flipped: What these are, in a sentence.
        has_paragon: Whether shares and taxes are known.

    """

    costs: tuple[QueryCostRow, ...]
    versions: tuple[str, ...]
    maps: tuple[_HeatMap, ...]
    sentences: tuple[str, ...]
    rows: tuple[MatrixPairRow, ...]
    bridges: tuple[MatrixPairRow, ...]
    cmc: tuple[tuple[str, tuple[str, ...]], ...]
    ks: tuple[int, ...]
    thresholds: tuple[_ThresholdRow, ...]
    flips: tuple[_RankingFlip, ...]
    flipped: str
    has_paragon: bool


def index_matrix_view(results: Results) -> MatrixView | None:
    """Return what is said of encoders on indices; `None` where sides are no such."""
    matrix = results.task.matrix
    if matrix is None:
        return None
    flipped, flips = _flips(results, matrix)
    ks = tuple(matrix.cells[0].cmc)
    return MatrixView(
        costs=query_cost_rows(results, matrix),
        versions=matrix.roles.versions,
        maps=tuple(_heat_map(matrix, name) for name in matrix.titles),
        sentences=tuple(_sentences(results, matrix)),
        rows=tuple(row for pair in matrix.pairs for row in _pair_rows(pair, matrix)),
        bridges=tuple(
            row
            for pair in matrix.bridges
            for row in _pair_rows(pair, matrix, name=_bridge_name(results, pair.new))
        ),
        cmc=tuple(
            (
                _bridge_name(results, one.role),
                tuple(_plain_share(one.cmc.get(k, math.nan)) for k in ks),
            )
            for one in matrix.cells
        ),
        ks=ks,
        thresholds=tuple(map(_threshold, matrix.verification)),
        flips=flips,
        flipped=flipped,
        has_paragon=matrix.roles.paragon,
    )


def _heat_map(matrix: IndexMatrix, name: str) -> _HeatMap:
    versions = matrix.roles.versions
    decided = {
        (pair.new, pair.old): one.decision
        for pair in matrix.pairs
        if not pair.part
        for one in pair.measures
        if one.measure == name
    }
    values = {
        (c.queries, c.index): c.values[name]
        for c in matrix.cells
        if c.queries in versions and c.index in versions
    }
    known = [one.value for one in values.values() if not math.isnan(one.value)]
    ends = min(known, default=0.0), max(known, default=1.0)
    cells, said = [], []
    for place in product(range(len(versions)), repeat=2):
        queries, index = (versions[at] for at in place)
        found = values.get((queries, index))
        one = _heat_cell(place, found, decided.get((queries, index)), ends)
        cells.append(one)
        value = " ".join(filter(None, (one.value, one.interval, one.mark)))
        said.append(f"queries of {queries} on the index of {index}: {value}")
    return _HeatMap(title=matrix.titles[name], cells=tuple(cells), text="; ".join(said))


def _heat_cell(
    place: tuple[int, ...],
    found: Estimate | None,
    decision: Compatible | None,
    ends: tuple[float, float],
) -> _HeatCell:
    """Return a cell; empty where it was left out."""
    mark = f"{_SYMBOLS[decision]} {decision.value}" if decision else ""
    row, column = place
    if found is None:
        return _HeatCell(
            row=row, column=column, value="–", interval="", shade="0", mark=""
        )
    shown, (low, high) = number(found, "share"), ends
    scale = (found.value - low) / ((high - low) or 1.0)
    return _HeatCell(
        row=row,
        column=column,
        value=shown.text,
        interval=shown.interval,
        shade=f"{_LIGHTEST + (_DARKEST - _LIGHTEST) * scale:.3f}",
        mark=mark,
    )


def _sentences(results: Results, matrix: IndexMatrix) -> Iterator[str]:
    for pair in matrix.pairs:
        if not pair.part:
            yield from _pair_said(pair, matrix.titles)
    yield from small_query_sentences(results, matrix)
    for role, why in matrix.roles.left_out.items():
        yield f"{role} is left out: {why}."
    shifted = [
        f"{cell.role} {cell.score_shift:.2f}"
        for cell in matrix.cells
        if cell.score_shift > 0
    ]
    if shifted:
        yield (
            "Scores of the first documents moved away from those of "
            f"{matrix.roles.versions[0]} by (Kolmogorov and Smirnov, 1 is apart): "
            f"{', '.join(_named(results, one) for one in shifted)}. A fixed threshold "
            "means something else there."
        )


def _named(results: Results, said: str) -> str:
    role, _, amount = said.rpartition(" ")
    return f"{_bridge_name(results, role)} {amount}"


def _pair_said(pair: MatrixPair, titles: Mapping[str, str]) -> Iterator[str]:
    """Yield how a version's queries do on an older index, by the main measure."""
    main = pair.main
    gain = number(main.gain_points, "points")
    verb = {
        Compatible.CERTIFIED: "find more on",
        Compatible.REFUTED: "find less on",
        Compatible.UNDECIDED: "may or may not find more on",
    }[main.decision]
    yield (
        f"{_SYMBOLS[main.decision]} Queries of {pair.new} {verb} the index of "
        f"{pair.old} than its own queries do: {titles[main.measure]} {gain.full}, "
        f"{main.decision.value}."
    )
    others = [one for one in pair.measures if one.decision is not main.decision]
    if others:
        named = ", ".join(f"{titles[o.measure]} {o.decision.value}" for o in others)
        yield f"Other measures say otherwise: {named}."


def _bridge_name(results: Results, role: str) -> str:
    """Return what a mitigation's role is called: as the user wrote it."""
    names = {one.update.new: one.name for one in results.task.mitigations}
    return shortened(names.get(role, role), _NAME)


def _pair_rows(
    pair: MatrixPair, matrix: IndexMatrix, *, name: str = ""
) -> Iterator[MatrixPairRow]:
    where = name or f"{pair.new} on {pair.old}"
    for one in pair.measures:
        yield MatrixPairRow(
            pair=f"{where}, {pair.part}" if pair.part else where,
            measure=matrix.titles[one.measure],
            symbol=_SYMBOLS[one.decision],
            decision=one.decision.value,
            gain=number(one.gain_points, "points"),
            way=_way(one),
            keeping=number(one.keeping, "points"),
            retention=_plain_share(one.retention.value),
            tax=_points(one.tax),
            against_paragon=_points(one.against_paragon),
            scores=" / ".join(_score(x) for x in (one.p_comp, one.p_up)),
            p=numbers.p_value(one.p_randomisation),
        )


def _way(one: PairMeasure) -> str:
    if math.isnan(one.update_gain.value):
        return "–"
    if one.share_means_little:
        return "in points: the paragon is near"
    return number(one.update_gain, "share").full


def _points(one: Estimate) -> str:
    return "–" if math.isnan(one.value) else number(one, "points").full


def _plain_share(value: float) -> str:
    return "–" if math.isnan(value) else percent(value)


def _score(value: float) -> str:
    return "–" if math.isnan(value) else numbers.decimal(value, 2)


def _threshold(one: Verification) -> _ThresholdRow:
    return _ThresholdRow(
        role=shortened(one.role, _NAME),
        protocol="two items match (TAR)"
        if one.protocol == "verification"
        else ("open set (TPIR)"),
        rate=percent(one.rate),
        threshold=_score(one.threshold),
        accepted=number(one.accepted, "share"),
        at_old=number(one.at_old, "share"),
        false_at_old=_plain_share(one.false_at_old),
    )


def _flips(
    results: Results, matrix: IndexMatrix
) -> tuple[str, tuple[_RankingFlip, ...]]:
    """Return the queries that broke, on the index that stays where that is asked."""
    old, judged = results.run.judged
    first, last = matrix.roles.versions[0], matrix.roles.versions[-1]
    kept = asked_on(last, first)
    new = kept if kept in results.run.answers else judged
    answers = [results.run.answers[role] for role in (old, new)]
    right = f"{CORRECT_PREFIX}query"
    if not all(right in one for one in answers):
        return "", ()
    before, after = (bools(one.column(right)) for one in answers)
    broken = before & ~after
    k = getattr(recorded_task(results.run.manifest), "k", 10)
    lost, won = (numbers.count(int(one.sum())) for one in (broken, after & ~before))
    said = (
        f"{lost} queries find a relevant document among the first {k} as {old} and not "
        f"as {new}; {won} the other way round."
    )
    rows = broken.nonzero()[0][:_MOST_FLIPS]
    tops = [
        pc.list_slice(one.column("prediction"), 0, k).take(pa.array(rows)).to_pylist()
        for one in answers
    ]
    examples = results.run.examples.take(rows)
    asked = _queries(examples.column("input").to_pylist(), examples.ids.to_pylist())
    each = zip(asked, examples.column("gold").to_pylist(), *tops, strict=True)
    return said, tuple(_flip(q, gold, a or (), b or ()) for q, gold, a, b in each)


def _queries(inputs: Sequence[object], ids: Sequence[str]) -> list[str]:
    return [
        shortened(name if is_media(text) else str(text), _TEXT)
        for text, name in zip(inputs, ids, strict=True)
    ]


def _flip(
    query: str,
    gold: Sequence[Mapping[str, object]] | None,
    before: Sequence[str],
    after: Sequence[str],
) -> _RankingFlip:
    relevant = {one["document"] for one in gold or () if int(str(one["relevance"])) > 0}

    def listed(names: Sequence[str], others: Sequence[str]) -> str:
        moved = [name for name in names if name not in set(others)]
        return ", ".join(
            shortened(name, _NAME) + (" ★" if name in relevant else "")
            for name in moved
        )

    return _RankingFlip(
        query=query, left=listed(before, after), entered=listed(after, before)
    )


def _view(reported: ReportedRun) -> MatrixView | None:
    return index_matrix_view(reported.results)


SECTION = Section(
    title="Encoders on each other's index", view=_view, template="matrix.html.j2"
)
