"""What to do about an index: one of six ways, what each is worth, and backfills."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from compat_eval.comparison.index_decision.result import (
    UNDECIDED,
    JudgedBackfill,
    JudgedWay,
    UpgradeDecision,
)
from compat_eval.comparison.index_decision.ways import ServingCost, UpgradeAction
from compat_eval.report.drawing import Axis, Tick, around, ends, place
from compat_eval.report.numbers import (
    SPACE,
    Number,
    count,
    counted,
    decimal,
    number,
    percent,
)
from compat_eval.report.query_costs import QueryCost, milliseconds_of, query_costs
from compat_eval.report.results import Results
from compat_eval.report.section import ReportedRun, Section
from compat_eval.report.text import shortened

_NAME = 60
_WIDTH, _HEIGHT = 420.0, 200.0
_WORDS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        UpgradeAction.STAY: ("Stay with OLD", "none", "="),
        UpgradeAction.BRIDGE: ("Bridge", "pass", "✓"),
        UpgradeAction.CASCADE: ("Cascade", "pass", "✓"),
        UpgradeAction.TRAIN: ("Train for compatibility", "pass", "✓"),
        UpgradeAction.BACKFILL: ("Backfill", "pass", "✓"),
        UpgradeAction.REINDEX: ("Re-index", "pass", "↻"),
        UNDECIDED: ("Undecided", "inconclusive", "?"),
    }
)
"""By verdict: what people call it, its tone, and a symbol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _WayRow:
    """One way, in words.

    Attributes:
        name: The role.
        action: Which of the six it is.
        mean: Of the measure.
        against_old: See `JudgedWay`; `None` of OLD itself.
        against_reindex: Likewise, of the re-index.
        vectors: How many are embedded and written, or only mapped.
        a_query: What a query takes.
        shown: Whether it is acceptable, and what is against it.
        taken: Whether this is what to do.

    """

    name: str
    action: str
    mean: str
    against_old: Number | None
    against_reindex: Number | None
    vectors: str
    a_query: str
    shown: str
    taken: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _CurveView:
    """One backfill as it is drawn.

    Attributes:
        order: Its name.
        said: What it comes to, in a sentence.
        line: The means, as points of a polyline.
        band: Their intervals around the re-index, as a closed path.
        dots: The points, with what stands there in words.
        certified: Position from which on every share is acceptable; empty for none.

    """

    order: str
    said: str
    line: str
    band: str
    dots: tuple[tuple[str, str, str], ...]
    certified: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _IdentityRow:
    """What a state of the index makes of identities; see `IndexGeneration`."""

    name: str
    f1: Number
    change: Number | None
    changed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionView:
    """The decision on an index.

    Attributes:
        word: The verdict for people.
        kind: Its tone.
        symbol: The same as one character.
        reason: In a sentence.
        cost: What it takes, in a sentence; empty where undecided.
        rule: By which rule.
        rows: Every way, the least work first.
        curves: Every backfill.
        identities: What states of the index make of identities.
        old: Height of OLD in the drawings, and of the re-index.
        reindexed: See `old`.
        across: Marks of the share.
        upwards: Marks of the measure; their `x` is a height from above.

    """

    word: str
    kind: str
    symbol: str
    reason: str
    cost: str
    rule: str
    rows: tuple[_WayRow, ...]
    curves: tuple[_CurveView, ...]
    identities: tuple[_IdentityRow, ...]
    old: str
    reindexed: str
    across: tuple[Tick, ...]
    upwards: tuple[Tick, ...]


def decision_view(
    found: UpgradeDecision,
    costs: Mapping[str, QueryCost] = MappingProxyType({}),
) -> DecisionView:
    """Return a decision in words and positions.

    Args:
        found: What was decided.
        costs: What a query costs, by role, where that was measured.

    """
    word, kind, symbol = _WORDS[found.verdict]
    taken = found.taken
    if taken is not None and taken.action is UpgradeAction.BACKFILL:
        word = f"{word} {percent(taken.share, 0)}"
    across = Axis(0.0, 1.0, _WIDTH)
    upwards = around([end for one in found.ways for end in _heights(one)], _HEIGHT)
    means = {one.action: one.mean for one in found.ways}
    return DecisionView(
        word=word,
        kind=kind,
        symbol=symbol,
        reason=_sentence(found.reason),
        cost="" if taken is None else _cost(taken, costs),
        rule=_rule(found),
        rows=tuple(_row(one, found, costs) for one in found.ways),
        curves=tuple(_curve(one, across, upwards) for one in found.backfills),
        identities=tuple(_identity_rows(found)),
        old=_from_above(upwards, means[UpgradeAction.STAY]),
        reindexed=_from_above(upwards, means[UpgradeAction.REINDEX]),
        across=across.ticks("share"),
        upwards=tuple(
            Tick(place(_HEIGHT - float(tick.x)), tick.text, "end")
            for tick in upwards.ticks("plain")
        ),
    )


def _identity_rows(found: UpgradeDecision) -> Iterator[_IdentityRow]:
    for at, one in enumerate(found.identities):
        yield _IdentityRow(
            name=shortened(one.name, _NAME),
            f1=number(one.f1, "share"),
            change=number(one.change, "points") if at else None,
            changed=percent(one.changed) if at else "–",
        )


def _decision_said(found: UpgradeDecision, costs: Mapping[str, QueryCost]) -> str:
    view = decision_view(found, costs)
    return f"Index: {view.word}. {view.reason} {view.cost or view.rule}"


def _row(
    one: JudgedWay, found: UpgradeDecision, costs: Mapping[str, QueryCost]
) -> _WayRow:
    old = one.action is UpgradeAction.STAY
    reindexed = one.action is UpgradeAction.REINDEX
    mapped = f", {count(one.cost.mapped)} mapped" if one.cost.mapped else ""
    return _WayRow(
        name=shortened(one.role, _NAME),
        action=one.action.value,
        mean=decimal(one.mean, 3),
        against_old=None if old else number(one.against_old, "points"),
        against_reindex=None if reindexed else number(one.against_reindex, "points"),
        vectors=f"{count(one.cost.vectors)}{mapped}",
        a_query=_a_query(_timed(one, costs)),
        shown=_shown(one, found),
        taken=one.role == found.role,
    )


def _shown(one: JudgedWay, found: UpgradeDecision) -> str:
    if one.needs_old and not found.tolerance.old_may_answer:
        return "needs OLD's encoder"
    if one.outdone:
        return f"acceptable; {one.outdone} is better by far"
    return "acceptable" if one.acceptable else "not shown to be acceptable"


def _a_query(cost: ServingCost) -> str:
    said = [counted(round(cost.forwards), "pass", "passes")]
    if cost.documents:
        said.append(f"{count(round(cost.documents))} documents embedded")
    if cost.milliseconds is not None:
        said.append(f"{decimal(cost.milliseconds, 2)}{SPACE}ms")
    return ", ".join(said)


def _timed(one: JudgedWay, costs: Mapping[str, QueryCost]) -> ServingCost:
    """Return what a way takes, with the time of its passes where it was measured."""
    return replace(one.cost, milliseconds=milliseconds_of(one, costs))


def _cost(one: JudgedWay, costs: Mapping[str, QueryCost]) -> str:
    said = [
        f"{counted(one.cost.vectors, 'vector')} to embed and write",
        f"{_a_query(_timed(one, costs))} for a query",
    ]
    if one.cost.mapped:
        said.insert(1, f"{counted(one.cost.mapped, 'vector')} to map and write")
    if one.action is not UpgradeAction.REINDEX:
        said.append(f"{_against(one)}")
    if one.needs_old:
        said.append("OLD's encoder goes on answering")
    return _sentence("; ".join(said))


def _rule(found: UpgradeDecision) -> str:
    tolerance, queries = found.tolerance, counted(found.n_queries, "query", "queries")
    old = (
        f"no more than {_points(tolerance.below_old)} below OLD"
        if tolerance.below_old
        else "no worse than OLD"
    )
    fresh = (
        ""
        if found.fresh_queries is None
        else f" About {count(found.fresh_queries)} fresh queries would settle it, if "
        "they are like these."
    )
    return (
        f"Acceptable is what {queries} show to be no more than "
        f"{_points(tolerance.below_reindex)} below a full re-index, and {old}. The "
        f"chance that anything is called so wrongly is at most "
        f"{percent(found.alpha, 0)}, over all ways and shares; the cheapest acceptable "
        f"way is taken.{fresh}"
    )


def _points(value: float) -> str:
    return f"{100 * value:.3g} point{'' if value == 0.01 else 's'}"  # noqa: PLR2004


def _curve(one: JudgedBackfill, across: Axis, upwards: Axis) -> _CurveView:
    points = [(across.at(s.share), _from_above(upwards, s.mean)) for s in one.shares]
    spans = [(across.at(s.share), *_heights(s)) for s in one.shares]
    upper = [f"{x},{_from_above(upwards, high)}" for x, _, high in spans]
    lower = [f"{x},{_from_above(upwards, low)}" for x, low, _ in spans]
    worst = next(s for s in one.shares if s.share == one.worst)
    said = (
        f"area {decimal(one.area, 3)}; worst {decimal(worst.mean, 3)} at "
        f"{percent(one.worst, 0)}"
    )
    worse = [s.share for s in one.shares if s.against_old.high < 0]
    if worse:
        said += f"; shown to be worse than OLD at up to {percent(max(worse), 0)}"
    if one.certified is not None:
        said += f"; acceptable from {percent(one.certified, 0)} on"
    return _CurveView(
        order=one.order,
        said=said,
        line=" ".join(f"{x},{y}" for x, y in points),
        band="M" + "L".join([*upper, *reversed(lower)]) + "Z",
        dots=tuple(
            (x, y, f"{percent(s.share, 0)}: {decimal(s.mean, 3)}, {_against(s)}")
            for (x, y), s in zip(points, one.shares, strict=True)
        ),
        certified="" if one.certified is None else across.at(one.certified),
    )


def _heights(one: JudgedWay) -> tuple[float, float]:
    """Return the ends of the interval of the difference from OLD, around the mean."""
    low, high = ends(one.against_old)
    base = one.mean - one.against_old.value
    return base + low, base + high


def _against(one: JudgedWay) -> str:
    return f"{number(one.against_reindex, 'points').full} against the re-index"


def _from_above(axis: Axis, value: float) -> str:
    return place(_HEIGHT - float(axis.at(value)))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def said(results: Results) -> str:
    """Return the decision, why and at what cost; empty where nothing is decided."""
    found = results.task.decision
    return "" if found is None else _decision_said(found, query_costs(results))


def _view(reported: ReportedRun) -> DecisionView | None:
    found = reported.results.task.decision
    if found is None:
        return None
    return decision_view(found, query_costs(reported.results))


SECTION = Section(
    title="Keep the index?", view=_view, template="decision.html.j2", framed=False
)
