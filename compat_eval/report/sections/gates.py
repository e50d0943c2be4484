"""The gates: what was asked, what was found, and how it was judged."""

import math
from dataclasses import dataclass

from compat_eval.report import numbers, words
from compat_eval.report.drawing import Bar, around, bar, place
from compat_eval.report.numbers import Number
from compat_eval.report.results import JudgedGate, Results
from compat_eval.report.section import ReportedRun, Section
from compat_eval.report.sentences import (
    asked,
    bound,
    gate_example,
    gate_key,
    gate_number,
    named_examples,
    needs,
)
from compat_eval.report.text import shortened

_WIDTH = 190.0
_LENGTH = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class _LimitChart:
    """An interval beside its limit.

    Attributes:
        bar: The estimate.
        limit: Position of the limit.
        bad_from: Where the forbidden side begins.
        bad_width: How wide it is.
        text: The picture in words.

    """

    bar: Bar
    limit: str
    bad_from: str
    bad_width: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRow:
    """One gate.

    Attributes:
        key: Its short stable name: quantity, limit, level, slice and semantics.
        verdict: `pass`, `fail`, `inconclusive` or `none`.
        word: The verdict in capitals.
        symbol: The verdict as one character.
        title: What the quantity is called.
        asked: The limit in words.
        where: Which units were looked at.
        found: The estimate.
        n: How many units or clusters stand behind it.
        chart: The estimate beside the limit; `None` where it is undefined.
        semantics: How a verdict comes about.
        needs: Which fresh sample would decide; empty where decided.
        bound: The one-sided bound that decided, in words; empty without one.
        test: p-value and level of significance, where the reason tells neither.
        reason: The gate's own explanation.

    """

    key: str
    verdict: str
    word: str
    symbol: str
    title: str
    asked: str
    where: str
    found: Number
    n: str
    chart: _LimitChart | None
    semantics: str
    needs: str
    bound: str
    test: str
    reason: str


def gate_rows(results: Results) -> tuple[GateRow, ...]:
    """Return the gates in the order in which they were set."""
    return tuple(_row(gate, results) for gate in results.gates)


def _row(gate: JudgedGate, results: Results) -> GateRow:
    part = results.task.update.part(gate.level, gate.part)
    return GateRow(
        key=gate_key(gate),
        verdict=gate.verdict,
        word=words.VERDICTS[gate.verdict],
        symbol=words.SYMBOLS[gate.verdict],
        title=words.gate_title(gate),
        asked=asked(gate),
        where=_where(gate),
        found=gate_number(gate),
        n=f"{gate_number(gate).n} {words.evidence_noun(part, gate.level)}",
        chart=_chart(gate),
        semantics=words.SEMANTICS.get(gate.semantics, gate.semantics),
        needs=needs(gate),
        bound=bound(gate),
        test="" if "alpha" in gate.reason else _test(gate),
        reason=gate.reason,
    )


def _where(gate: JudgedGate) -> str:
    unit = gate.level.units
    if gate.part:
        return f"{unit} in {shortened(gate.part, _LENGTH)}"
    return named_examples(gate) if gate.statistic == "protected" else f"all {unit}"


def _test(gate: JudgedGate) -> str:
    if math.isnan(gate.p_value):
        return ""
    shown = numbers.p_value(gate.p_value)
    text = f"p {shown}" if shown.startswith("<") else f"p = {shown}"
    known = not math.isnan(gate.alpha)
    return f"{text}, judged at α = {gate.alpha:.4g}" if known else text


def _chart(gate: JudgedGate) -> _LimitChart | None:
    found, limit = gate.estimate, gate.limit
    if math.isnan(found.value) or gate.statistic == "protected":
        return None
    axis = around((found.value, found.low, found.high, limit), _WIDTH)
    edge = axis.at(limit)
    start, end = ("0", edge) if gate.at_least else (edge, place(_WIDTH))
    return _LimitChart(
        bar=bar(axis, found),
        limit=edge,
        bad_from=start,
        bad_width=place(float(end) - float(start)),
        text=f"{gate_number(gate).full} beside the limit, {asked(gate)}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _GatesView:
    """The gates, and how several were judged together; empty for one or none.

    `example` is a gates file in one line for a run without gates, and what it limits.
    """

    rows: tuple[GateRow, ...]
    correction: str
    example: tuple[str, str]


def _view(reported: ReportedRun) -> _GatesView:
    results = reported.results
    return _GatesView(
        rows=gate_rows(results),
        correction=_correction(results),
        example=gate_example(results),
    )


def _correction(results: Results) -> str:
    tested = [one for one in results.gates if not math.isnan(one.p_value)]
    settings = results.settings
    others = len((settings.get("others") or {}).get("broken", ()))
    if len(tested) + others < 2:  # noqa: PLR2004
        return ""
    known = settings.get("confidence")
    level = "" if known is None else f" at α = {1 - known:.4g}"
    if others and settings.get("correction") == "holm":
        return (
            "Judged as part of a release, by Holm's correction together with "
            f"{numbers.counted(others, 'gate')} of its other suites{level}."
        )
    if settings.get("correction") == "holm":
        return (
            f"{len(tested)} gates use statistics; Holm's correction judges them{level}."
        )
    return f"{len(tested)} gates use statistics, each judged{level} without correction."


SECTION = Section(title="Gates", view=_view, template="gates.html.j2")
