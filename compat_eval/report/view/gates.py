"""The gates: what was asked, what was found, and how it was judged."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compat_eval.report import numbers, words
from compat_eval.report.numbers import Number, decimals_of, number
from compat_eval.report.source import first_level, summary_of
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


def gate_rows(comparison: Mapping[str, Any]) -> tuple[GateRow, ...]:
    """Return the gates in the order in which they were set."""
    return tuple(_row(gate, comparison) for gate in comparison["gates"])


def gate_key(gate: Mapping[str, Any], first: str) -> str:
    """Name a gate in one short line, such as `nfr ≤ 0.5 % (example, certify)`.

    Args:
        gate: The gate.
        first: The level that is meant where a gate names none.

    """
    sign = "≥" if gate.get("direction") == "at_least" else "≤"
    limit = _limit(gate)
    parts = [gate.get("level") or first, gate.get("slice"), gate.get("semantics")]
    if gate["quantity"] == "protected":
        where = ", ".join(str(part) for part in parts[:2] if part)
        named = "" if gate.get("slice") else f"; {_named(gate)}"
        return f"protected ({where}{named})"
    where = ", ".join(str(part) for part in parts if part)
    what = (
        f"loss of {gate.get('of')}" if gate["quantity"] == "loss" else gate["quantity"]
    )
    what = f"relative {what}" if gate.get("relative") else what
    return f"{what} {sign} {limit} ({where})"


def asked(gate: Mapping[str, Any]) -> str:
    """Say what a gate asks for, such as `at most 0.5 %`."""
    if gate["quantity"] == "protected":
        return "must all stay right"
    side = "at least" if gate.get("direction") == "at_least" else "at most"
    return f"{side} {_limit(gate)}"


def needs(gate: Mapping[str, Any]) -> str:
    """Say which fresh sample would decide; empty where none would."""
    fresh, value = gate.get("fresh_examples"), gate["estimate"]["value"]
    if gate["verdict"] != "inconclusive" or not fresh or value is None:
        return ""
    over, under = value > gate["limit"], value < gate["limit"]
    beyond = under if gate.get("direction") == "at_least" else over
    chance = math.floor(100 * gate["fresh_power"])
    return (
        f"a fresh sample of {numbers.counted(fresh, 'example')} (at this rate about "
        f"{chance} % of such {'fail' if beyond else 'pass'})"
    )


def bound(gate: Mapping[str, Any]) -> str:
    """Say which one-sided bound was held against the limit; empty without one.

    It is not an end of the interval beside it, which is two-sided.
    """
    value = gate.get("bound")
    if value is None:
        return ""
    about_kept = gate["semantics"] == "certify" and gate["verdict"] != "fail"
    above = about_kept == (gate.get("direction") != "at_least")
    unit = words.gate_unit(gate)
    said = numbers.amount(value, unit, _decimals(gate))
    return f"{'upper' if above else 'lower'} bound {said}"


def found(gate: Mapping[str, Any]) -> Number:
    """Return a gate's estimate, written so that it never looks equal to the limit."""
    return number(gate["estimate"], words.gate_unit(gate), decimals=_decimals(gate))


def _decimals(gate: Mapping[str, Any]) -> int:
    return decimals_of(
        [gate["estimate"]],
        words.gate_unit(gate),
        apart=(gate.get("bound"), gate["limit"]),
    )


def _row(gate: Mapping[str, Any], comparison: Mapping[str, Any]) -> GateRow:
    verdict, first = gate["verdict"], first_level(comparison)
    level, reason = gate.get("level") or first, str(gate.get("reason") or "")
    counted = words.evidence_noun(
        summary_of(comparison, level, gate.get("slice")), level
    )
    return GateRow(
        key=gate_key(gate, first),
        verdict=verdict,
        word=words.VERDICTS[verdict],
        symbol=words.SYMBOLS[verdict],
        title=words.gate_title(gate),
        asked=asked(gate),
        where=_where(gate, first),
        found=found(gate),
        n=f"{found(gate).n} {counted}",
        chart=_chart(gate),
        semantics=words.SEMANTICS.get(gate["semantics"], str(gate["semantics"])),
        needs=needs(gate),
        bound=bound(gate),
        test="" if "alpha" in reason else _test(gate),
        reason=reason,
    )


def _limit(gate: Mapping[str, Any]) -> str:
    return numbers.limit(gate["limit"], words.gate_unit(gate))


def _named(gate: Mapping[str, Any]) -> str:
    return numbers.counted(len(gate.get("ids") or ()), "named example")


def _where(gate: Mapping[str, Any], first: str) -> str:
    unit = words.noun(gate.get("level") or first, 2)
    part = gate.get("slice")
    if gate["quantity"] == "protected" and not part:
        return _named(gate)
    if not part:
        return f"all {unit}"
    return f"{unit} in {shortened(part, _LENGTH)}"


def _test(gate: Mapping[str, Any]) -> str:
    p, alpha = gate.get("p_value"), gate.get("alpha")
    if p is None:
        return ""
    shown = numbers.p_value(p)
    text = f"p {shown}" if shown.startswith("<") else f"p = {shown}"
    return text if alpha is None else f"{text}, judged at α = {alpha:.4g}"


def _chart(gate: Mapping[str, Any]) -> LimitChart | None:
    estimate, limit = gate["estimate"], gate["limit"]
    value, low, high = (estimate[key] for key in ("value", "low", "high"))
    if value is None or gate["quantity"] == "protected":
        return None
    axis = around([v for v in (value, low, high, limit) if v is not None], _WIDTH)
    at_least = gate.get("direction") == "at_least"
    edge = axis.at(limit)
    start, end = ("0", edge) if at_least else (edge, place(_WIDTH))
    return LimitChart(
        bar=bar(axis, value, low, high),
        limit=edge,
        bad_from=start,
        bad_width=place(float(end) - float(start)),
        text=f"{found(gate).full} beside the limit, {asked(gate)}",
    )
