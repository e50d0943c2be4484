"""Accuracy against flips: OLD kept, NEW as it is, and NEW under each mitigation."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from compat_eval.comparison.panel import NEW, OLD
from compat_eval.core.estimate import Estimate, as_number
from compat_eval.report.drawing import Axis, Tick, around, ends, place
from compat_eval.report.numbers import Number, counted, number, percent
from compat_eval.report.results import MitigationResult, Results
from compat_eval.report.section import ReportedRun, Section
from compat_eval.report.text import shortened

_NAME = 60
_WIDTH, _HEIGHT = 420.0, 260.0
_ONE_PASS, _LARGEST = 3.5, 14.0
_NEAR = 10.0
_LEAST_P = 0.0001
_MARKS: Mapping[str, str] = MappingProxyType({OLD: "OLD", NEW: "NEW"})
_NAMES: Mapping[str, str] = MappingProxyType(
    {OLD: "keep OLD", NEW: "NEW without a mitigation"}
)
_INVERSE: Mapping[str, str] = MappingProxyType(
    {"dominates": "dominated", "dominated": "dominates", "undecided": "undecided"}
)
_SAID: Mapping[str, str] = MappingProxyType(
    {
        "dominates": "dominates",
        "dominated": "is dominated by",
        "undecided": "undecided",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _FrontierPoint:
    """One way to handle the update, with its paired intervals as a cross.

    Attributes:
        mark: How it is called in the drawing and the table.
        name: In full, with what it costs.
        x: Position of its negative flip rate.
        y: Position of its change in accuracy, from above.
        low_x: Left end of the interval; likewise the others.
        high_x: See `low_x`.
        low_y: See `low_x`.
        high_y: See `low_x`.
        radius: Of a disc whose area is how often models are asked for an example.
        beside: Where its label stands, right of the disc.
        label: Its mark and those of others that stand there; empty where another
            point has it.

    """

    mark: str
    name: str
    x: str
    y: str
    low_x: str
    high_x: str
    low_y: str
    high_y: str
    radius: str
    beside: str
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _DevPath:
    """The settings of one mitigation that were tried on dev.

    Attributes:
        mark: Of the mitigation.
        dots: Their places, NEW on dev first.
        line: The same as a path; empty where several options varied.

    """

    mark: str
    dots: tuple[tuple[str, str], ...]
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _PairRow:
    """Two ways beside each other: differences of the first from the second."""

    one: str
    said: str
    other: str
    accuracy: Number
    nfr: Number
    p: str
    strong: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """The drawing, and what dominates what.

    Attributes:
        points: The ways whose numbers exist, the largest disc first.
        dev: What was tried on dev.
        new_x: Position of NEW's negative flip rate.
        new_y: Position of no change in accuracy.
        across: Marks of the horizontal axis.
        upwards: Marks of the vertical axis; their `x` is a height from above.
        text: The drawing in words.
        sentences: What dominates what.
        rule: When something dominates, by which test.
        pairs: Every pair.

    """

    points: tuple[_FrontierPoint, ...]
    dev: tuple[_DevPath, ...]
    new_x: str
    new_y: str
    across: tuple[Tick, ...]
    upwards: tuple[Tick, ...]
    text: str
    sentences: tuple[str, ...]
    rule: str
    pairs: tuple[_PairRow, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """A point with its intervals: value, low, high."""

    nfr: tuple[float, float, float]
    accuracy: tuple[float, float, float]


def frontier(results: Results) -> Frontier | None:
    """Return the drawing at the main level; `None` where no mitigation was tried."""
    found = results.task.analyses.get("frontier")
    if not found:
        return None
    tried = {one.update.new: one for one in results.task.mitigations}
    places = _places(found["points"])
    if NEW not in places or len(places) < len(_MARKS):
        return None
    marks = _marks(tried)
    dev = {role: _on_dev(one, found["level"]) for role, one in tried.items()}
    everywhere = [dot for dots in dev.values() for dot in dots]
    axes = across, upwards = _axes(places.values(), everywhere)
    points = [
        _point(marks[role], _name(role, tried), _passes(tried.get(role)), axes, one)
        for role, one in places.items()
    ]
    return Frontier(
        points=tuple(sorted(_labelled(points), key=lambda one: -float(one.radius))),
        dev=tuple(
            _path(marks[role], dots, axes, line=len(tried[role].chosen["values"]) == 1)
            for role, dots in dev.items()
            if dots
        ),
        new_x=across.at(places[NEW].nfr[0]),
        new_y=_from_above(upwards, 0.0),
        across=across.ticks("share"),
        upwards=tuple(
            Tick(place(_HEIGHT - float(tick.x)), tick.text, "end")
            for tick in upwards.ticks("points")
        ),
        text=(
            "Change in accuracy against NEW, over the negative flip rate against OLD; "
            "the tables have the numbers."
        ),
        sentences=tuple(_sentences(found["pairs"], marks, tried)),
        rule=_rule(found),
        pairs=tuple(_pair(one, marks, found["alpha"]) for one in found["pairs"]),
    )


def _axes(
    places: Collection[_Place], dots: Collection[tuple[float, float]]
) -> tuple[Axis, Axis]:
    """Return axes on which everything stands, with no flips and no change."""
    rates = [0.0, *(x for x, _ in dots), *(v for p in places for v in p.nfr)]
    changes = [0.0, *(y for _, y in dots), *(v for p in places for v in p.accuracy)]
    return around(rates, _WIDTH), around(changes, _HEIGHT)


def relations(results: Results) -> dict[str, str]:
    """Return by role of a mitigation what it is to NEW without one, in one word."""
    found = results.task.analyses.get("frontier") or {"pairs": ()}
    return {
        one["other"]: _INVERSE[one["relation"]]
        for one in found["pairs"]
        if one["one"] == NEW
    }


def _marks(tried: Iterable[str]) -> dict[str, str]:
    return {**_MARKS, **{role: str(at) for at, role in enumerate(tried, start=1)}}


def _name(role: str, tried: Mapping[str, MitigationResult]) -> str:
    return _NAMES[role] if role in _NAMES else shortened(tried[role].name, _NAME)


def _places(points: Iterable[Mapping[str, Any]]) -> dict[str, _Place]:
    """Return where each point stands: NFR and change in accuracy, with intervals.

    Intervals are those of the paired differences from NEW, around the point.
    """
    by_role = {one["role"]: one for one in points}
    places = {}
    for role, one in by_role.items():
        rate = as_number(one["nfr"])
        moved = {k: Estimate.from_dict(e) for k, e in one["against_new"].items()}
        change, flips = moved["accuracy_change"], moved["nfr_change"]
        if math.isnan(rate + change.value + flips.value):
            continue
        low, high = ends(flips) if role not in _MARKS else (flips.value, flips.value)
        base = rate - flips.value
        places[role] = _Place(
            (rate, max(base + low, 0.0), base + high), (change.value, *ends(change))
        )
    return places


def _passes(one: MitigationResult | None) -> int:
    """Return how often models are asked for an example; 1 where that is not known."""
    if one is None or not one.cost:
        return 1
    return max(int(one.cost["old_passes"] + one.cost["new_passes"]), 1)


def _point(
    mark: str, name: str, passes: int, axes: tuple[Axis, Axis], found: _Place
) -> _FrontierPoint:
    across, upwards = axes
    radius = min(_ONE_PASS * math.sqrt(passes), _LARGEST)
    return _FrontierPoint(
        mark=mark,
        name=f"{name}: {counted(passes, 'pass', 'passes')} an example",
        x=across.at(found.nfr[0]),
        low_x=across.at(found.nfr[1]),
        high_x=across.at(found.nfr[2]),
        y=_from_above(upwards, found.accuracy[0]),
        low_y=_from_above(upwards, found.accuracy[1]),
        high_y=_from_above(upwards, found.accuracy[2]),
        radius=place(radius),
        beside=place(radius + 2),
    )


def _labelled(points: Sequence[_FrontierPoint]) -> list[_FrontierPoint]:
    """Return points with labels; one label for points whose labels would overlap."""
    together: list[list[_FrontierPoint]] = []
    for one in points:
        near = (some for some in together if _is_near(some[0], one))
        found = next(near, None)
        if found is None:
            together.append([one])
        else:
            found.append(one)
    return [
        replace(one, label="" if at else ", ".join(other.mark for other in some))
        for some in together
        for at, one in enumerate(some)
    ]


def _is_near(one: _FrontierPoint, other: _FrontierPoint) -> bool:
    across, upwards = float(one.x) - float(other.x), float(one.y) - float(other.y)
    return math.hypot(across, upwards) < _NEAR


def _on_dev(one: MitigationResult, level: str) -> list[tuple[float, float]]:
    """Return NFR and change in accuracy of each setting on dev, NEW itself first."""
    if not one.chosen:
        return []
    new = one.chosen["untreated"][level]
    levels = [new, *(setting["levels"][level] for setting in one.chosen["tried"])]
    known = [
        (as_number(found["nfr"]), as_number(found["accuracy"])) for found in levels
    ]
    base = as_number(new["accuracy"])
    return [(x, y - base) for x, y in known if not math.isnan(x + y + base)]


def _path(
    mark: str,
    dots: list[tuple[float, float]],
    axes: tuple[Axis, Axis],
    *,
    line: bool,
) -> _DevPath:
    placed = tuple((axes[0].at(x), _from_above(axes[1], y)) for x, y in dots)
    drawn = "M" + "L".join(f"{x},{y}" for x, y in placed)
    return _DevPath(mark=mark, dots=placed, line=drawn if line else "")


def _from_above(axis: Axis, value: float) -> str:
    return place(_HEIGHT - float(axis.at(value)))


def _rule(found: Mapping[str, Any]) -> str:
    return (
        "One dominates another where it is shown to be more accurate and to break "
        f"less: {found['test']}. Holm's correction over all "
        f"{counted(found['n_claims'], 'claim')} (each pair, both directions) keeps the "
        f"chance of any wrong one at most {percent(found['alpha'], 0)}."
    )


def _sentences(
    pairs: Iterable[Mapping[str, Any]],
    marks: Mapping[str, str],
    tried: Mapping[str, MitigationResult],
) -> Iterable[str]:
    def called(role: str) -> str:
        named = _name(role, tried)
        return named if role in _MARKS else f"{marks[role]} ({named})"

    undecided = 0
    for one in pairs:
        first, second = one["one"], one["other"]
        if one["relation"] == "dominated":
            first, second = second, first
        if one["relation"] == "undecided":
            undecided += 1
        else:
            said = f"{called(first)} dominates {called(second)}."
            yield said[:1].upper() + said[1:]
    if undecided:
        yield f"Undecided: {counted(undecided, 'pair')}."


def _pair(one: Mapping[str, Any], marks: Mapping[str, str], alpha: float) -> _PairRow:
    p = min(one["p_dominates"], one["p_dominated"])
    return _PairRow(
        one=marks[one["one"]],
        said=_SAID[one["relation"]],
        other=marks[one["other"]],
        accuracy=number(Estimate.from_dict(one["accuracy_change"]), "points"),
        nfr=number(Estimate.from_dict(one["nfr_change"]), "points"),
        p=f"{p:.2g}" if p >= _LEAST_P else f"< {_LEAST_P:g}",
        strong=p <= alpha,
    )


def _view(reported: ReportedRun) -> Frontier | None:
    return frontier(reported.results)


SECTION = Section(
    title="Accuracy against flips", view=_view, template="frontier.html.j2"
)
