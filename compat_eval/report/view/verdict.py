"""The verdict and why, in sentences that need no statistics to be understood."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compat_eval.report import numbers, words
from compat_eval.report.numbers import number
from compat_eval.report.source import first_level, the_task
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
        context: What happened to accuracy and what was fixed.

    """

    kind: str
    word: str
    symbol: str
    sentence: str
    tally: str
    context: str


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
    )


def gate_sentence(gate: Mapping[str, Any], comparison: Mapping[str, Any]) -> str:
    """Say what a gate found and what it asks for."""
    if gate["quantity"] == "protected":
        said = str(gate["reason"])
        return f"{said[:1].upper()}{said[1:]}; none may break."
    finding = _finding(gate, comparison)
    rule = "asks for" if gate.get("direction") == "at_least" else "allows"
    limit = asked(gate) if rule == "asks for" else asked(gate).removeprefix("at most ")
    sentence = f"{finding}; the gate {rule} {limit}"
    if gate["verdict"] != "inconclusive":
        return f"{sentence}."
    if comparison["doubts"]:
        return f"{sentence}. {doubted(comparison)}"
    missing = needs(gate)
    return f"{sentence}, and the evidence does not decide." + (
        f" It would take {missing}." if missing else ""
    )


def doubted(comparison: Mapping[str, Any]) -> str:
    """Say why no gate of the run may pass; nothing in a sound run."""
    doubts = "; ".join(comparison["doubts"])
    return f"This run cannot pass: {doubts}." if doubts else ""


def _sentence(comparison: Mapping[str, Any]) -> str:
    task = the_task(comparison)
    gates = comparison["gates"]
    if not gates:
        level = first_level(comparison)
        counts = _broken(task["levels"][level], level)
        said = f"No gates were set, so nothing was judged. {counts}."
        return f"{said} {doubted(comparison)}".strip()
    decisive = min(gates, key=lambda g: _MOST_URGENT_FIRST.index(g["verdict"]))
    said = gate_sentence(decisive, comparison)
    told = doubted(comparison)
    return said if not told or told in said else f"{said} {told}"


def _finding(gate: Mapping[str, Any], comparison: Mapping[str, Any]) -> str:
    level, part = gate.get("level") or first_level(comparison), gate.get("slice")
    summary = _summary(the_task(comparison), level, part)
    value = found(gate)
    name = words.interval_name(gate["estimate"])
    if gate["quantity"] == "nfr" and summary is not None and value.known:
        head = _broken(summary, level)
        where = f" in {part}" if part else ""
        span = f", {name} {value.interval}" if value.interval else ""
        return f"{head}{where} ({value.text}{span})"
    subject = words.gate_title(gate)
    where = f" in {part}" if part else ""
    if not value.known:
        return f"{subject}{where} is {value.text}"
    span = f" ({name} {value.interval})" if value.interval else ""
    return f"{subject}{where} is {value.text}{span}"


def _broken(summary: Mapping[str, Any], level: str) -> str:
    broken, units = summary["counts"]["broken"], summary["units"]
    of = f"{numbers.count(broken)} of {numbers.counted(units, *_nouns(level))}"
    return f"{of} worked before and no longer {'does' if broken == 1 else 'do'}"


def _nouns(level: str) -> tuple[str, str]:
    return words.noun(level, 1), words.noun(level, 2)


def _summary(
    task: Mapping[str, Any], level: str, part: str | None
) -> Mapping[str, Any] | None:
    if part is None:
        found_level: Mapping[str, Any] | None = task["levels"].get(level)
        return found_level
    return next(
        (s for s in task["slices"] if s["name"] == part and s["level"] == level), None
    )


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
    task = the_task(comparison)
    level = first_level(comparison)
    summary = task["levels"][level]
    estimates = summary["estimates"]
    old, new = (number(estimates[f"accuracy_{s}"], "share") for s in ("old", "new"))
    change = number(estimates["accuracy_change"], "points")
    if not change.known:
        return f"The change in accuracy is {change.text}."
    fixed = numbers.counted(summary["counts"]["fixed"], *_nouns(level))
    was = "was" if summary["counts"]["fixed"] == 1 else "were"
    return (
        f"Accuracy went from {old.text} to {new.text}: a change of {change.full}. "
        f"{fixed[0].upper() + fixed[1:]} that failed before {was} fixed."
    )
