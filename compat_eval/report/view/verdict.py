"""The verdict and why, in sentences that need no statistics to be understood."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compat_eval.report import numbers, words
from compat_eval.report.numbers import decimals_of, number
from compat_eval.report.source import first_level, summary_of, the_task
from compat_eval.report.view.gates import asked, found, needs

_MOST_URGENT_FIRST = ("fail", "inconclusive", "pass", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the run ended with.

    Attributes:
        kind: `pass`, `fail`, `inconclusive` or `none`.
        word: The same for people.
        symbol: The same as one character.
        sentence: The finding that decided.
        tally: How many gates ended how; empty without gates.
        context: What happened to accuracy.
        errors: How many answers of each side are errors; empty where none is.

    """

    kind: str
    word: str
    symbol: str
    sentence: str
    tally: str
    context: str
    errors: str


def verdict(comparison: Mapping[str, Any]) -> Verdict:
    """Return the verdict of a comparison in words."""
    kind = comparison["verdict"]
    return Verdict(
        kind=kind,
        word=words.VERDICTS[kind],
        symbol=words.SYMBOLS[kind],
        sentence=_sentence(comparison),
        tally=_tally(comparison["gates"]),
        context=_context(comparison),
        errors=errors_said(comparison),
    )


def gate_sentence(gate: Mapping[str, Any], comparison: Mapping[str, Any]) -> str:
    """Say what broke and was fixed, what a gate found, and how that was judged."""
    level = gate.get("level") or first_level(comparison)
    summary = summary_of(comparison, level, gate.get("slice"))
    counts = "" if summary is None else f"{_counts(summary, level)}. "
    if gate["quantity"] == "protected":
        said = str(gate["reason"])
        return f"{counts}{said[:1].upper()}{said[1:]}; none may break."
    rule = "asks for" if gate.get("direction") == "at_least" else "allows"
    limit = asked(gate) if rule == "asks for" else asked(gate).removeprefix("at most ")
    sentence = f"{counts}{_finding(gate)}; the gate {rule} {limit}"
    if gate["verdict"] != "inconclusive":
        return f"{sentence}.{_because(gate)}"
    if comparison["doubts"]:
        return f"{sentence}. {doubted(comparison)}"
    missing = needs(gate)
    return f"{sentence}, and the evidence does not decide.{_because(gate)}" + (
        f" It would take {missing}." if missing else ""
    )


def _because(gate: Mapping[str, Any]) -> str:
    """Return the gate's own reason as a further sentence; nothing without one."""
    said = str(gate.get("reason") or "").rstrip(".")
    return f" {said[0].upper()}{said[1:]}." if said else ""


def doubted(comparison: Mapping[str, Any]) -> str:
    """Say why no gate of the run may pass; nothing in a sound run."""
    doubts = "; ".join(comparison["doubts"])
    return f"This run cannot pass: {doubts}." if doubts else ""


def _sentence(comparison: Mapping[str, Any]) -> str:
    gates = comparison["gates"]
    if not gates:
        said = f"{counts_said(comparison)} No gates were set, so nothing was judged."
        return f"{said} {doubted(comparison)}".strip()
    decisive = min(gates, key=lambda g: _MOST_URGENT_FIRST.index(g["verdict"]))
    said = gate_sentence(decisive, comparison)
    if not said.startswith(counts_said(comparison)):
        said = f"{counts_said(comparison)} {said}"
    told = doubted(comparison)
    return said if not told or told in said else f"{said} {told}"


def counts_said(comparison: Mapping[str, Any]) -> str:
    """Say how many units broke and how many were fixed, at the level that matters most.

    Every output says this first, whatever its gates are about.
    """
    level = first_level(comparison)
    return f"{_counts(the_task(comparison)['levels'][level], level)}."


def _counts(summary: Mapping[str, Any], level: str) -> str:
    counts, units = summary["counts"], summary["units"]
    part = summary.get("name")
    where = f" in {part}" if part else ""
    broken = f"{numbers.count(counts['broken'])} of "
    broken += f"{numbers.counted(units, *words.nouns(level))}{where} broke"
    fixed = f"{numbers.count(counts['fixed'])} "
    return f"{broken}, {fixed}{'was' if counts['fixed'] == 1 else 'were'} fixed"


def _finding(gate: Mapping[str, Any]) -> str:
    subject, part, value = words.gate_title(gate), gate.get("slice"), found(gate)
    where = f" in {part}" if part else ""
    name = words.interval_name(gate["estimate"])
    span = f" ({name} {value.interval})" if value.interval else ""
    return f"{subject}{where} is {value.text}{span}"


def _tally(gates: list[Mapping[str, Any]]) -> str:
    if not gates:
        return ""
    ended = [gate["verdict"] for gate in gates]
    said = {"pass": "passed", "fail": "failed", "inconclusive": "inconclusive"}
    parts = [
        f"{ended.count(kind)} {said[kind]}"
        for kind in ("fail", "inconclusive", "pass")
        if kind in ended
    ]
    return f"{numbers.counted(len(gates), 'gate')}: {', '.join(parts)}."


def _context(comparison: Mapping[str, Any]) -> str:
    estimates = the_task(comparison)["levels"][first_level(comparison)]["estimates"]
    old, new = (estimates[f"accuracy_{side}"] for side in ("old", "new"))
    change = estimates["accuracy_change"]
    decimals = decimals_of([old, new, change], "points")
    moved = number(change, "points", decimals=decimals)
    if not moved.known:
        return f"The change in accuracy is {moved.text}."
    before, after = (number(one, "share", decimals=decimals) for one in (old, new))
    return (
        f"Accuracy went from {before.text} to {after.text}: a change of {moved.full}."
    )


def errors_said(comparison: Mapping[str, Any]) -> str:
    """Say how many answers of each side are errors; nothing where none is."""
    coverage = comparison["coverage"]
    old, new = (coverage.get(f"errors_{side}", 0) for side in ("old", "new"))
    if not old and not new:
        return ""
    return (
        f"Errors in place of answers: {numbers.count(old)} of old, "
        f"{numbers.count(new)} of new."
    )
