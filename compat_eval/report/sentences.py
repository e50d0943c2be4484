"""What a run found, in sentences that need no statistics to be understood.

Each fact has its one sentence here; reports only place it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from compat_eval.comparison.result import UnitCounts, UpdateResult
from compat_eval.core.estimate import Estimate
from compat_eval.core.examples import CLASSES_SLICE
from compat_eval.core.grades import Level
from compat_eval.report import numbers, words
from compat_eval.report.flips import Answer
from compat_eval.report.numbers import Number, Unit, decimals_of, number
from compat_eval.report.results import JudgedGate, MitigationResult, Results
from compat_eval.report.text import shortened

_MOST_URGENT_FIRST = ("fail", "inconclusive", "pass", "none")
_NAME, _LENGTH = 60, 300


def verdict_sentence(results: Results) -> str:
    """Say what broke, what the gate that decided found, and how that was judged."""
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


def errors_said(results: Results) -> str:
    """Say how many answers of each side are errors; nothing where none is."""
    old, new = (results.coverage.get(f"errors_{side}", 0) for side in ("old", "new"))
    if not old and not new:
        return ""
    return (
        f"Errors in place of answers: {numbers.count(old)} of old, "
        f"{numbers.count(new)} of new."
    )


def coverage_problem(results: Results) -> str:
    """Say what is wrong with the coverage; empty where old and new agree on it."""
    found, settings = results.coverage, results.settings
    missing = found.get("only_old", 0) + found.get("only_new", 0)
    if missing and settings.get("on_missing") in (None, "fail", "refuse"):
        return (
            f"{numbers.counted(missing, 'example')} answered by one side only "
            f"({numbers.count(found['only_old'])} by old, "
            f"{numbers.count(found['only_new'])} by new)"
        )
    mismatched = found.get("mismatched", 0)
    if mismatched and settings.get("on_mismatch") in (None, "fail", "refuse"):
        return f"{numbers.counted(mismatched, 'example')} about which the sides differ"
    return ""


def doubted(results: Results) -> str:
    """Say why no gate of the run may pass; nothing in a sound run."""
    doubts = "; ".join(results.doubts)
    return f"This run cannot pass: {doubts}." if doubts else ""


def accuracy_sentence(results: Results) -> str:
    """Say how accurate old and new are; or their mean scores, where units have such."""
    main = results.task.update.main
    scored = main.level.scale == "score"
    share: Unit = "plain" if scored else "share"
    points: Unit = "plain" if scored else "points"
    key = "score" if scored else "accuracy"
    names = [f"{key}_{which}" for which in ("old", "new", "change")]
    if not main.statistics.keys() >= set(names):
        return ""
    old, new, change = (main.statistics[name] for name in names)
    decimals = decimals_of([old, new, change], points)
    moved = number(change, points, decimals=decimals)
    what = f"mean {main.level.score_unit or 'score'}" if scored else "accuracy"
    if not moved.known:
        return f"The change in {what} is {moved.text}."
    before, after = (number(one, share, decimals=decimals) for one in (old, new))
    return (
        f"{what[:1].upper()}{what[1:]} went from {before.text} to {after.text}: a "
        f"change of {moved.full}."
    )


def gate_example(results: Results) -> tuple[str, str]:
    """Return a gates file in one line, for a run without gates, and what it limits."""
    level = results.task.update.main.level
    name, limit = {
        "right": ("nfr", 0.005),
        "score": ("worse_rate", 0.05),
        "agreement": ("agreement", 0.95),
    }[level.scale]
    rate = words.in_sentence(words.CELL_WORDS[level.scale].rate)
    if level.scale == "agreement":
        return f"gates: [{{quantity: {name}, at_least: {limit}}}]", name
    return f"gates: [{{quantity: {name}, at_most: {limit}}}]", rate


def gate_hint(results: Results) -> tuple[str, str]:
    """Say how a run without gates would be judged, and give a line to paste."""
    made, rate = gate_example(results)
    return (
        f"To have the {rate} judged, write a gates file and add --gates gates.yaml:",
        f"echo '{made}' > gates.yaml",
    )


def gates_said(gates: Sequence[JudgedGate]) -> str:
    """Say how many gates ended how; nothing without gates."""
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


def gate_key(gate: JudgedGate) -> str:
    """Name a gate in one short line, such as `nfr ≤ 0.5 % (example, certify)`."""
    parts = [gate.level.name, gate.part, gate.semantics]
    if gate.statistic == "protected":
        where = ", ".join(part for part in parts[:2] if part)
        named = "" if gate.part else f"; {named_examples(gate)}"
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
        f"about {chance} % of such samples {'fail' if beyond else 'pass'})"
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


def gate_number(gate: JudgedGate) -> Number:
    """Return a gate's estimate, written so that it never looks equal to the limit."""
    return number(gate.estimate, words.gate_unit(gate), decimals=_decimals(gate))


def _counts(part: UnitCounts) -> str:
    where = f" in {part.part}" if part.part else ""
    of = f"{numbers.count(part.lost)} of {words.units(part.units, part.level)}{where}"
    if part.level.scale == "score":
        return f"{of} got worse, {numbers.count(part.won)} got better"
    if part.level.scale == "agreement":
        return f"{of} changed"
    return f"{of} broke, {words.were_fixed(part.won)}"


def _because(gate: JudgedGate) -> str:
    """Return the gate's own reason as a further sentence; nothing without one."""
    said = gate.reason.rstrip(".")
    return f" {said[0].upper()}{said[1:]}." if said else ""


def _finding(gate: JudgedGate) -> str:
    subject, value = words.gate_title(gate), gate_number(gate)
    where = f" in {gate.part}" if gate.part else ""
    name = words.interval_name(gate.estimate)
    span = f" ({name} {value.interval})" if value.interval else ""
    return f"The {words.in_sentence(subject)}{where} is {value.text}{span}"


def _decimals(gate: JudgedGate) -> int:
    apart = gate.bound, gate.limit
    return decimals_of([gate.estimate], words.gate_unit(gate), apart=apart)


def _limit(gate: JudgedGate) -> str:
    return numbers.limit(gate.limit, words.gate_unit(gate))


def named_examples(gate: JudgedGate) -> str:
    """Say how many examples a gate protects by their ids."""
    return numbers.counted(len(gate.ids), "named example")


def answer_details(answer: Answer, level: Level) -> tuple[str, ...]:
    """Say what is known of an answer besides itself: its score and how sure it is."""
    known = (
        (level.score_unit or "score", answer.worth),
        ("score", answer.score),
        ("margin", answer.margin),
    )
    return tuple(
        f"{name} {numbers.decimal(value, 3)}"
        for name, value in known
        if value is not None and not math.isnan(value)
    )


def mitigation_sentence(one: MitigationResult, untreated: UpdateResult) -> str:
    """Say what a mitigation does, and whether it merely brings OLD back."""
    main = untreated.main
    name = shortened(one.name, _NAME)
    if main.level.scale != "right":
        return " ".join([f"{name}:", *_of_scores(one, main), *_notes_on(one)])
    changes = one.changes(main.level.name)
    before, after = main.counts, one.update.main.counts
    moved = (
        f"broken {numbers.count(before['broken'])} → {numbers.count(after['broken'])}, "
        f"fixed {numbers.count(before['fixed'])} → {numbers.count(after['fixed'])}"
    )
    accuracy = number(changes["accuracy_change"], "points")
    parts = [
        f"{name}: {moved}. {_effect(one, changes)}",
        (
            f"Accuracy {accuracy.full} against NEW without a mitigation"
            f"{_kept(changes, main)}."
        ),
        *_agreement(untreated.agreement, one.update.agreement),
        *_by_class(one.update, untreated),
    ]
    return " ".join([*parts, *_notes_on(one)])


def _of_scores(one: MitigationResult, untreated: UnitCounts) -> Iterator[str]:
    """Say what a mitigation does where units have scores."""
    treated, level = one.update.main, untreated.level
    for word, before, after in (
        ("worse", untreated.lost, treated.lost),
        ("better", untreated.won, treated.won),
    ):
        yield f"{word} {numbers.count(before)} → {numbers.count(after)}."
    change = number(one.moved.levels[level.name].change, "plain")
    yield f"Mean {level.score_unit} {change.full} against NEW without a mitigation."


def _notes_on(one: MitigationResult) -> Iterator[str]:
    yield from map(str, one.update.mitigation.get("notes") or ())
    if one.errors:
        yield (
            "The mitigated model raised an error for "
            f"{numbers.counted(one.errors, 'example')}."
        )


def effect_words(effect: str) -> str:
    """Return the word for a mitigation's effect as people read it.

    Examples:
        >>> effect_words("drags_back")
        'drags back'

    """
    return effect.replace("_", " ")


def _by_class(mitigated: UpdateResult, untreated: UpdateResult) -> Iterator[str]:
    """Say the accuracy of classes that OLD knows, and of added ones, apart."""
    for kind in ("old", "new"):
        part = f"{CLASSES_SLICE}={kind}"
        before = untreated.part(untreated.main.level, part)
        after = mitigated.part(mitigated.main.level, part)
        if before is None or after is None:
            continue
        said = [
            number(found.statistics["accuracy_new"], "share").text
            for found in (before, after)
        ]
        yield f"Accuracy on {kind} classes: {said[0]} → {said[1]}."


def cost_words(cost: Mapping[str, Any], times: Mapping[str, Any]) -> str:
    """Say how often the models are asked for an example, and what it all takes.

    Examples:
        >>> cost_words({"old_passes": 1, "new_passes": 1, "candidates": 10}, {})
        'NEW asked 1×, OLD 1×, 10 candidates'

    """
    parts = []
    if cost:
        news, olds = (f"{cost[side]:.3g}×" for side in ("new_passes", "old_passes"))
        parts = [f"NEW asked {news}", f"OLD {olds}"]
        if cost["candidates"]:
            parts.append(numbers.counted(cost["candidates"], "candidate"))
    parameters = times.get("parameters")
    if parameters:
        parts.append(f"{numbers.short(parameters)} parameters")
    trained = times.get("training_seconds")
    if trained:
        parts.append(f"trained in {trained:,.0f} s")
    ratio = times.get("times_untreated")
    if ratio:
        parts.append(f"{ratio:.1f} times the time of NEW")
    return ", ".join(parts) or "–"


def chosen_words(choice: Mapping[str, Any]) -> str:
    """Say which setting dev chose, and by which rule."""
    value = ", ".join(f"{n}={setting_value(v)}" for n, v in choice["values"].items())
    where = f"{choice['split']} ({numbers.counted(choice['n_examples'], 'example')})"
    loss = numbers.limit(choice["delta"], "points").removeprefix("+")
    n_tried = numbers.counted(len(choice["tried"]), "setting")
    if choice["harmless"]:
        return shortened(
            f"{value} was chosen on {where} among {n_tried}: of the settings shown to "
            f"lose at most {loss} of NEW's accuracy at every level, the one with the "
            "lowest NFI, of equals the mildest.",
            _LENGTH,
        )
    return shortened(
        f"{value} was taken on {where} because it may lose least: none of {n_tried} is "
        f"shown to lose at most {loss} of NEW's accuracy at every level.",
        _LENGTH,
    )


def setting_value(value: Any) -> str:  # noqa: ANN401 - of a mitigation's option
    """Return the value of an option as users write it.

    Examples:
        >>> setting_value(0.5), setting_value(10), setting_value("kl")
        ('0.5', '10', 'kl')

    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:g}" if number else str(value)


def _agreement(untreated: float, mitigated: float) -> Iterator[str]:
    """Say how often the answer is OLD's; of rankings none is the same to the end."""
    if untreated == mitigated == 0:
        return
    new, treated = numbers.percent(untreated), numbers.percent(mitigated)
    yield (
        f"It answers {treated} of the examples as OLD does; NEW without a mitigation "
        f"{new}."
    )


def _effect(one: MitigationResult, changes: Mapping[str, Estimate]) -> str:
    kind = one.effect
    broken, fixed = (changes[n].value for n in ("broken_cut", "fixed_cut"))
    if kind == "no_cut":
        return "It breaks no less than NEW without a mitigation."
    if math.isnan(fixed):
        return f"It breaks {numbers.percent(broken)} less; NEW itself fixes nothing."
    if fixed <= 0:
        return f"It breaks {numbers.percent(broken)} less and fixes no less" + (
            ", which may be chance." if kind == "unclear" else "."
        )
    gone = (
        f"It avoids {numbers.percent(broken)} of what NEW broke and loses "
        f"{numbers.percent(fixed)} of what NEW fixed"
    )
    return gone + (_VERDICTS if _asks_old(one) else _WITHOUT_OLD)[kind]


_VERDICTS: Mapping[str, str] = MappingProxyType(
    {
        "drags_back": (
            ", no better than answering some examples as OLD did: it merely drags NEW "
            "back to OLD."
        ),
        "unclear": (
            ". The difference may be chance: it is not shown to do more than drag NEW "
            "back to OLD."
        ),
        "mostly_old": (
            ". That is more than chance, but most of what NEW fixed is gone: it drags "
            "NEW most of the way back to OLD."
        ),
        "selective": ": it does more than drag NEW back to OLD.",
    }
)

_WITHOUT_OLD: Mapping[str, str] = MappingProxyType(
    {
        "drags_back": ", no better than answering some examples as OLD did, at random.",
        "unclear": (
            ". The difference may be chance: it is not shown to do more than answering "
            "some examples as OLD did, at random."
        ),
        "mostly_old": ". That is more than chance, but most of what NEW fixed is gone.",
        "selective": (
            ": it does more than answering some examples as OLD did, at random."
        ),
    }
)


def _asks_old(one: MitigationResult) -> bool:
    """Whether OLD takes part, and so can draw NEW towards itself; as far as known.

    It does in what is trained on its answers, though it is not asked any more.
    """
    trained = bool(one.update.mitigation.get("trained"))
    return trained or bool(one.cost.get("old_passes", 1))


def _kept(changes: Mapping[str, Estimate], untreated: UnitCounts) -> str:
    """Say how much of NEW's gain over OLD is left, where it is shown to gain at all."""
    left = changes["gain_kept"].value
    least = untreated.statistics["accuracy_change"].low
    if math.isnan(left + least) or least <= 0:
        return ""
    if left <= 0:
        return ", which leaves nothing of NEW's gain over OLD"
    verb = "leaves" if left <= 1 else "makes"
    return f", which {verb} {numbers.percent(left, 0)} of NEW's gain over OLD"
