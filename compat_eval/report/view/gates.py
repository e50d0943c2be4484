"""The gates: what was asked, what was found, and how it was judged."""

import math
from dataclasses import dataclass

from compat_eval.report import numbers, words
from compat_eval.report.numbers import Number, decimals_of, number
from compat_eval.report.results import JudgedGate, Results
from compat_eval.report.text import shortened
from compat_eval.report.view.axis import Bar, around, bar, place

_WIDTH = 190.0
_LENGTH = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitChart:
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
    chart: LimitChart | None
    semantics: str
    needs: str
    bound: str
    test: str
    reason: str


def gate_rows(results: Results) -> tuple[GateRow, ...]:
    """Return the gates in the order in which they were set."""
    return tuple(_row(gate, results) for gate in results.gates)


def gate_key(gate: JudgedGate) -> str:
    """Name a gate in one short line, such as `nfr ≤ 0.5 % (example, certify)`."""
    parts = [gate.level.name, gate.part, gate.semantics]
    if gate.statistic == "protected":
        where = ", ".join(part for part in parts[:2] if part)
        named = "" if gate.part else f"; {_named(gate)}"
        return f"protected ({where}{named})"
    where = ", ".join(part for part in parts if part)
    what = f"loss of {gate.of}" if gate.statistic == "loss" else gate.statistic
    what = f"relative {what}" if gate.relative else what
    return f"{what} {'≥' if gate.at_least else '≤'} {_limit(gate)} ({where})"


def asked(gate: JudgedGate) -> str:
    """Say what a gate asks for, such as `at most 0.5 %`."""
    if gate.statistic == "protected":
        return "must all stay right"
    return f"{'at least' if gate.at_least else 'at most'} {_limit(gate)}"


def needs(gate: JudgedGate) -> str:
    """Say which fresh sample would decide; empty where none would."""
    value = gate.estimate.value
    if gate.verdict != "inconclusive" or not gate.fresh or math.isnan(value):
        return ""
    beyond = value < gate.limit if gate.at_least else value > gate.limit
    chance = math.floor(100 * gate.fresh_power)
    return (
        f"a fresh sample of {numbers.counted(gate.fresh, 'example')} (at this rate "
        f"about {chance} % of such {'fail' if beyond else 'pass'})"
    )


def bound(gate: JudgedGate) -> str:
    """Say which one-sided bound was held against the limit; empty without one.

    It is not an end of the interval beside it, which is two-sided.
    """
    if math.isnan(gate.bound):
        return ""
    about_kept = gate.semantics == "certify" and gate.verdict != "fail"
    above = about_kept != gate.at_least
    said = numbers.amount(gate.bound, words.gate_unit(gate), _decimals(gate))
    return f"{'upper' if above else 'lower'} bound {said}"


def found(gate: JudgedGate) -> Number:
    """Return a gate's estimate, written so that it never looks equal to the limit."""
    return number(gate.estimate, words.gate_unit(gate), decimals=_decimals(gate))


def _decimals(gate: JudgedGate) -> int:
    apart = gate.bound, gate.limit
    return decimals_of([gate.estimate], words.gate_unit(gate), apart=apart)


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
        found=found(gate),
        n=f"{found(gate).n} {words.evidence_noun(part, gate.level)}",
        chart=_chart(gate),
        semantics=words.SEMANTICS.get(gate.semantics, gate.semantics),
        needs=needs(gate),
        bound=bound(gate),
        test="" if "alpha" in gate.reason else _test(gate),
        reason=gate.reason,
    )


def _limit(gate: JudgedGate) -> str:
    return numbers.limit(gate.limit, words.gate_unit(gate))


def _named(gate: JudgedGate) -> str:
    return numbers.counted(len(gate.ids), "named example")


def _where(gate: JudgedGate) -> str:
    unit = gate.level.units
    if gate.part:
        return f"{unit} in {shortened(gate.part, _LENGTH)}"
    return _named(gate) if gate.statistic == "protected" else f"all {unit}"


def _test(gate: JudgedGate) -> str:
    if math.isnan(gate.p_value):
        return ""
    shown = numbers.p_value(gate.p_value)
    text = f"p {shown}" if shown.startswith("<") else f"p = {shown}"
    known = not math.isnan(gate.alpha)
    return f"{text}, judged at α = {gate.alpha:.4g}" if known else text


def _chart(gate: JudgedGate) -> LimitChart | None:
    found_, limit = gate.estimate, gate.limit
    if math.isnan(found_.value) or gate.statistic == "protected":
        return None
    axis = around((found_.value, found_.low, found_.high, limit), _WIDTH)
    edge = axis.at(limit)
    start, end = ("0", edge) if gate.at_least else (edge, place(_WIDTH))
    return LimitChart(
        bar=bar(axis, found_),
        limit=edge,
        bad_from=start,
        bad_width=place(float(end) - float(start)),
        text=f"{found(gate).full} beside the limit, {asked(gate)}",
    )
