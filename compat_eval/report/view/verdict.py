"""The verdict and why, in sentences that need no statistics to be understood."""

from collections.abc import Sequence
from dataclasses import dataclass

from compat_eval.report import numbers, words
from compat_eval.report.numbers import decimals_of, number
from compat_eval.report.results import JudgedGate, Results, UnitCounts
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


def verdict(results: Results) -> Verdict:
    """Return the verdict of a comparison in words."""
    kind = results.verdict
    return Verdict(
        kind=kind,
        word=words.VERDICTS[kind],
        symbol=words.SYMBOLS[kind],
        sentence=_sentence(results),
        tally=_tally(results.gates),
        context=_context(results),
        errors=errors_said(results),
    )


def gate_sentence(gate: JudgedGate, results: Results) -> str:
    """Say what broke and was fixed, what a gate found, and how that was judged."""
    part = results.task.update.part(gate.level, gate.part)
    counts = "" if part is None else f"{_counts(part)}. "
    if gate.statistic == "protected":
        said = gate.reason
        return f"{counts}{said[:1].upper()}{said[1:]}; none may break."
    rule = "asks for" if gate.at_least else "allows"
    limit = asked(gate) if rule == "asks for" else asked(gate).removeprefix("at most ")
    sentence = f"{counts}{_finding(gate)}; the gate {rule} {limit}"
    if gate.verdict != "inconclusive":
        return f"{sentence}.{_because(gate)}"
    if results.doubts:
        return f"{sentence}. {doubted(results)}"
    missing = needs(gate)
    return f"{sentence}, and the evidence does not decide.{_because(gate)}" + (
        f" It would take {missing}." if missing else ""
    )


def _because(gate: JudgedGate) -> str:
    """Return the gate's own reason as a further sentence; nothing without one."""
    said = gate.reason.rstrip(".")
    return f" {said[0].upper()}{said[1:]}." if said else ""


def doubted(results: Results) -> str:
    """Say why no gate of the run may pass; nothing in a sound run."""
    doubts = "; ".join(results.doubts)
    return f"This run cannot pass: {doubts}." if doubts else ""


def _sentence(results: Results) -> str:
    counts, told = counts_said(results), doubted(results)
    if not results.gates:
        said = f"{counts} No gates were set, so nothing was judged."
        return f"{said} {told}".strip()
    decisive = min(results.gates, key=lambda g: _MOST_URGENT_FIRST.index(g.verdict))
    said = gate_sentence(decisive, results)
    if not said.startswith(counts):
        said = f"{counts} {said}"
    return said if not told or told in said else f"{said} {told}"


def counts_said(results: Results) -> str:
    """Say how many units broke and how many were fixed, at the level that matters most.

    Every output says this first, whatever its gates are about.
    """
    return f"{_counts(results.task.update.main)}."


def _counts(part: UnitCounts) -> str:
    counts = part.counts
    where = f" in {part.part}" if part.part else ""
    units = words.units(part.units, part.level)
    broken = f"{numbers.count(counts['broken'])} of {units}{where} broke"
    fixed = f"{numbers.count(counts['fixed'])} "
    return f"{broken}, {fixed}{'was' if counts['fixed'] == 1 else 'were'} fixed"


def _finding(gate: JudgedGate) -> str:
    subject, value = words.gate_title(gate), found(gate)
    where = f" in {gate.part}" if gate.part else ""
    name = words.interval_name(gate.estimate)
    span = f" ({name} {value.interval})" if value.interval else ""
    return f"{subject}{where} is {value.text}{span}"


def _tally(gates: Sequence[JudgedGate]) -> str:
    if not gates:
        return ""
    ended = [gate.verdict for gate in gates]
    said = {"pass": "passed", "fail": "failed", "inconclusive": "inconclusive"}
    parts = [
        f"{ended.count(kind)} {said[kind]}"
        for kind in ("fail", "inconclusive", "pass")
        if kind in ended
    ]
    return f"{numbers.counted(len(gates), 'gate')}: {', '.join(parts)}."


def _context(results: Results) -> str:
    found = results.task.update.main.statistics
    old, new = (found[f"accuracy_{side}"] for side in ("old", "new"))
    change = found["accuracy_change"]
    decimals = decimals_of([old, new, change], "points")
    moved = number(change, "points", decimals=decimals)
    if not moved.known:
        return f"The change in accuracy is {moved.text}."
    before, after = (number(one, "share", decimals=decimals) for one in (old, new))
    return (
        f"Accuracy went from {before.text} to {after.text}: a change of {moved.full}."
    )


def errors_said(results: Results) -> str:
    """Say how many answers of each side are errors; nothing where none is."""
    old, new = (results.coverage.get(f"errors_{side}", 0) for side in ("old", "new"))
    if not old and not new:
        return ""
    return (
        f"Errors in place of answers: {numbers.count(old)} of old, "
        f"{numbers.count(new)} of new."
    )
